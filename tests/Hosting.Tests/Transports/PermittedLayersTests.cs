using System.Buffers;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Transports;

/// <summary>Output that leaves by a permission, over real sockets and through every layer.</summary>
public sealed class PermittedLayersTests(CertificateFixture fixture) : IClassFixture<CertificateFixture>
{
    public static TheoryData<TransportKind> Kinds => EveryTransportTests.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_was_permitted_too_long_ago_waits_in_the_socket_and_leaves_when_it_is_permitted_anew(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, fixture.Certificates);
        await using Stream client = await server.ConnectAsync();
        Peer peer = await WithholdAsync(server, client);
        await peer.OnLoop(transport => transport.Output.Write("!"u8));
        Assert.True(await peer.Transport.Loop.InvokeAsync(() => peer.Transport.HoldsPermitted));

        await peer.OnLoop(transport => transport.SendWithheld(transport.Loop.ReadClockMs()));

        byte[] got = new byte[4];
        await client.ReadExactlyAsync(got).AsTask().WaitAsync(Deadline.Long);
        Assert.Equal("two!"u8.ToArray(), got);
        Assert.False(await peer.Transport.Loop.InvokeAsync(() => peer.Transport.HoldsPermitted));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task It_is_never_sent_when_the_connection_closes(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, fixture.Certificates);
        await using Stream client = await server.ConnectAsync();
        int withdrawn = 0;
        Peer peer = await WithholdAsync(server, client, () => withdrawn++);

        await peer.OnLoop(transport => transport.Close(TransportClose.Graceful));

        await peer.Closed.Task.WaitAsync(Deadline.Long);
        Assert.Equal(0, await ReadToEndAsync(client));
        Assert.Equal(1, withdrawn);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task It_is_never_sent_when_it_is_dropped(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, fixture.Certificates);
        await using Stream client = await server.ConnectAsync();
        int withdrawn = 0;
        Peer peer = await WithholdAsync(server, client, () => withdrawn++);

        await peer.OnLoop(transport =>
        {
            transport.DropPermitted();
            transport.Close(TransportClose.Graceful);
        });

        await peer.Closed.Task.WaitAsync(Deadline.Long);
        Assert.Equal(0, await ReadToEndAsync(client));
        Assert.Equal(1, withdrawn);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task It_waits_on_the_loop_it_moves_to(TransportKind kind)
    {
        await using TestServer server = await TestServer.StartAsync(kind, fixture.Certificates);
        await using Stream client = await server.ConnectAsync();
        Peer peer = await WithholdAsync(server, client);
        peer.Withheld = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop target = server.Loops.First(loop => loop != peer.FirstLoop);

        await peer.OnLoop(transport => transport.MoveTo(target));

        await peer.Withheld.Task.WaitAsync(Deadline.Long);
        Assert.Equal(target, peer.Transport.Loop);
        await peer.OnLoop(transport => transport.SendWithheld(transport.Loop.ReadClockMs()));
        byte[] got = new byte[3];
        await client.ReadExactlyAsync(got).AsTask().WaitAsync(Deadline.Long);
        Assert.Equal("two"u8.ToArray(), got);
    }

    private static async Task<Peer> WithholdAsync(TestServer server, Stream client, Action? withdrawn = null)
    {
        await client.WriteAsync("hi"u8.ToArray());
        await client.ReadExactlyAsync(new byte[2]).AsTask().WaitAsync(Deadline.Long);
        Peer peer = await server.NextPeerAsync();
        await peer.OnLoop(transport =>
        {
            transport.Loop.OutputWithdrawn = withdrawn;
            transport.MarkPermitted(transport.Loop.ReadClockMs() - transport.Loop.PermissionMs - 1);
            transport.Output.Write("two"u8);
        });
        await peer.Withheld.Task.WaitAsync(Deadline.Long);
        return peer;
    }

    /// <summary>How many bytes come before the end, whatever end that is.</summary>
    private static async Task<int> ReadToEndAsync(Stream client)
    {
        int total = 0;
        try
        {
            byte[] buffer = new byte[100];
            int read;
            while ((read = await client.ReadAsync(buffer).AsTask().WaitAsync(Deadline.Long)) > 0)
            {
                total += read;
            }
        }
        catch (Exception exception) when (exception is IOException or System.Net.WebSockets.WebSocketException)
        {
            // A reset.
        }

        return total;
    }
}
