using System.Net.Sockets;
using Trunkline.Hosting.Tests.Support;

namespace Trunkline.Hosting.Tests.Listeners;

/// <summary>A loop that was held up (a pause of the machine, a long collection) is late itself: no device is late for that.</summary>
public sealed class HeldUpLoopTests
{
    /// <summary>More than one turn fetches, and more than one turn accepts.</summary>
    private const int Early = 700;

    private const int Late = 80;

    [Fact]
    public async Task Nobody_is_refused_for_a_deadline_that_passed_while_the_loop_was_held_up()
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Tcp, null, options => options with
        {
            ProxyProtocol = new ProxyProtocolOptions
            {
                Mode = ProxyProtocolMode.Required,
                TrustedAddresses = ["127.0.0.1"],
                HeaderDeadline = TimeSpan.FromSeconds(5),
            },
        }, loops: 1);
        List<Socket> sockets = [];
        try
        {
            for (int i = 0; i < Early; i++)
            {
                sockets.Add(await server.ConnectSocketAsync());
            }

            await Eventually.HoldsAsync(() => server.Listeners.OpenConnections == Early, () => $"{server.Listeners.OpenConnections} are accepted");
            using var release = new ManualResetEventSlim();
            Task held = server.Loops[0].InvokeAsync(() => release.WaitHandle.WaitOne());
            for (int i = 0; i < Late; i++)
            {
                sockets.Add(await server.ConnectSocketAsync());
            }

            await Eventually.LastsAsync(TimeSpan.FromSeconds(6));
            foreach (Socket socket in sockets)
            {
                await socket.SendAsync("PROXY TCP4 192.0.2.9 127.0.0.1 5 6\r\nping"u8.ToArray());
            }

            release.Set();
            await held;
            byte[] echo = new byte[16];
            foreach (Socket socket in sockets)
            {
                int read = await socket.ReceiveAsync(echo).WaitAsync(Deadline.Long);
                Assert.True(read > 0, "refused");
            }
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }
}
