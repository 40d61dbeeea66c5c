using System.Net.Sockets;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Transports;

namespace Trunkline.Hosting.Tests.Epoll;

/// <summary>A loop with sockets that leaves an interval between two looks for events where many come (ADR 0018).</summary>
public sealed class CoalescingLoopTests
{
    private static readonly CoalescingOptions Options = new() { IntervalUs = 200, EventsPerSecond = 5_000 };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_loop_waits_at_a_high_rate_and_not_at_a_low_one_and_loses_nothing(bool sharesThread)
    {
        await using TestServer server = await TestServer.StartAsync(TransportKind.Tcp, loops: 2, sharesThread: sharesThread, coalescing: Options);
        if (sharesThread)
        {
            await server.Loops[1].InvokeAsync(server.Loops[1].HandOverSoon);
            await Eventually.HoldsAsync(() => server.Loops[1].IsShared, "both loops share a thread");
        }

        Socket[] sockets = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => server.ConnectSocketAsync()));
        for (byte i = 0; i < 20; i++)
        {
            await Eventually.LastsAsync(TimeSpan.FromMilliseconds(10));
            Assert.Equal(i, await EchoAsync(sockets[0], i));
        }

        Assert.Equal(0, server.Loops.Sum(loop => loop.CoalescedWaits));
        long deadline = Environment.TickCount64 + 60_000;
        await Task.WhenAll(sockets.Select(socket => Task.Run(async () =>
        {
            byte next = 0;
            while (server.Loops.Sum(loop => loop.CoalescedWaits) < 50 && Environment.TickCount64 < deadline)
            {
                Assert.Equal(next, await EchoAsync(socket, next));
                next++;
            }
        })));
        Assert.True(server.Loops.Sum(loop => loop.CoalescedWaits) >= 50, "it never waited");
        Array.ForEach(sockets, socket => socket.Dispose());
    }

    private static async Task<byte> EchoAsync(Socket socket, byte value)
    {
        byte[] one = [value];
        await socket.SendAsync(one).WaitAsync(Deadline.Long);
        Assert.Equal(1, await socket.ReceiveAsync(one).WaitAsync(Deadline.Long));
        return one[0];
    }
}
