using System.Net.Sockets;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Transports;
using Xunit.Abstractions;

namespace Trunkline.Hosting.Tests.Epoll;

/// <summary>Sockets of a loop whose epoll another loop's thread watches.</summary>
public sealed class SharedEpollLoopTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_loop_that_shares_a_thread_takes_up_all_that_comes_at_once()
    {
        // More than one turn accepts, and more than one look finds: what it leaves raises no new event.
        const int Connections = 1_300;
        await using TestServer server = await TestServer.StartAsync(TransportKind.Tcp, loops: 2, sharesThread: true);
        await server.Loops[1].InvokeAsync(server.Loops[1].HandOverSoon);
        await Eventually.HoldsAsync(() => server.Loops[1].IsShared, "both loops share a thread");
        Socket[] sockets = await HeldAsync(server, () => Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => server.ConnectSocketAsync())));
        await Eventually.HoldsAsync(() => server.Listeners.OpenConnections == Connections, () => $"{server.Listeners.OpenConnections} are accepted");
        await HeldAsync(server, () => Task.WhenAll(sockets.Select(socket => socket.SendAsync("ping"u8.ToArray()))));
        byte[] echo = new byte[16];
        foreach (Socket socket in sockets)
        {
            Assert.Equal(4, await socket.ReceiveAsync(echo).WaitAsync(Deadline.Long));
            socket.Dispose();
        }

        Assert.True(server.Loops[1].IsShared);
    }

    [Fact]
    public async Task Every_byte_comes_back_in_order_while_the_loop_changes_threads_at_random()
    {
        const int Connections = 8, Rounds = 1_500;
        int seed = Random.Shared.Next();
        output.WriteLine($"Seed {seed}.");
        await using TestServer server = await TestServer.StartAsync(TransportKind.Tcp, loops: 3, sharesThread: true);
        using var done = new CancellationTokenSource();
        Task changing = Task.WhenAll(server.Loops.Skip(1).Select((loop, n) => ChangeThreadsAsync(loop, new Random(seed + n), done.Token)));
        server.Spreads = true;
        Socket[] sockets = await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => server.ConnectSocketAsync()));
        await Task.WhenAll(sockets.Select((socket, n) => Task.Run(async () =>
        {
            var random = new Random(seed - n);
            for (int round = 0; round < Rounds; round++)
            {
                byte[] bytes = new byte[random.Next(1, round % 100 == 0 ? 200_000 : 200)];
                random.NextBytes(bytes);
                Assert.True(await EchoesAsync(socket, bytes), $"connection {n}, round {round}, seed {seed}");
            }
        })));
        await done.CancelAsync();
        await changing;
        output.WriteLine(string.Join(", ", server.Loops.Select(loop => $"{loop.Name}: {loop.HandOvers} hand-overs")));
        Assert.All(server.Loops.Skip(1), loop => Assert.True(loop.HandOvers > 100, $"only {loop.HandOvers} hand-overs"));
        Array.ForEach(sockets, socket => socket.Dispose());
    }

    /// <summary>Does something while the thread of both loops is held.</summary>
    private static async Task<T> HeldAsync<T>(TestServer server, Func<Task<T>> action)
    {
        using var release = new ManualResetEventSlim();
        Task held = server.Loops[0].InvokeAsync(() => release.WaitHandle.WaitOne());
        T result = await action();
        release.Set();
        await held;
        return result;
    }

    private static async Task ChangeThreadsAsync(Loop loop, Random random, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            await loop.InvokeAsync(() =>
            {
                if (random.Next(3) == 0)
                {
                    loop.HandOverSoon();
                }
            }).WaitAsync(Deadline.Long, CancellationToken.None);
        }
    }

    private static async Task<bool> EchoesAsync(Socket socket, byte[] bytes)
    {
        Task sending = socket.SendAsync(bytes).WaitAsync(Deadline.Long);
        byte[] back = new byte[bytes.Length];
        int length = 0;
        while (length < back.Length)
        {
            int received = await socket.ReceiveAsync(back.AsMemory(length)).AsTask().WaitAsync(Deadline.Long);
            if (received == 0)
            {
                return false;
            }

            length += received;
        }

        await sending;
        return back.AsSpan().SequenceEqual(bytes);
    }
}
