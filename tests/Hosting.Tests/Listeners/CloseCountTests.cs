using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Listeners;

/// <summary>A connection's end is counted, and its place free, before its peer can know of it.</summary>
public sealed class CloseCountTests
{
    [Theory]
    [InlineData(TransportKind.Tcp, TransportClose.Graceful)]
    [InlineData(TransportKind.Tcp, TransportClose.Abort)]
    [InlineData(TransportKind.PortableTcp, TransportClose.Graceful)]
    [InlineData(TransportKind.PortableTcp, TransportClose.Abort)]
    public async Task Whoever_sees_the_close_finds_it_counted(TransportKind kind, TransportClose close)
    {
        string name = $"counted-{kind}-{close}";
        await using TestServer server = await TestServer.StartAsync(kind, null, options => options with { Name = name });
        server.OnBytes = (peer, bytes) =>
        {
            peer.Transport.Close(close);
            return bytes.Length;
        };
        server.Echo = false;
        using Socket socket = await server.ConnectSocketAsync();
        var seenByThen = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, meters) =>
        {
            if (instrument.Name == "trunkline.listener.closed")
            {
                meters.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            foreach (KeyValuePair<string, object?> tag in tags)
            {
                if (tag.Value is string value && value == name)
                {
                    seenByThen.TrySetResult(socket.Poll(0, SelectMode.SelectRead));
                }
            }
        });
        listener.Start();
        await socket.SendAsync("x"u8.ToArray());
        Assert.False(await seenByThen.Task.WaitAsync(Deadline.Long), "the peer saw the close before it was counted");
        Assert.True(socket.Poll(Deadline.Long, SelectMode.SelectRead));
        Assert.Equal(0, server.Listeners.OpenConnections);
    }
}
