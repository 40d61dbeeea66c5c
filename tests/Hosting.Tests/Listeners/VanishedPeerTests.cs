using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Trunkline.Hosting.Tests.Support;

namespace Trunkline.Hosting.Tests.Listeners;

/// <summary>FAULTS 10 without a keep alive of MQTT: a peer whose packets come no more is found by TCP's probes.</summary>
public sealed class VanishedPeerTests
{
    private const string Address = "127.0.9.77";

    // Silence of a second, then three probes a second apart.
    private const int TcpKeepAliveSeconds = 1;

    [RootFact]
    public async Task A_peer_that_vanishes_is_gone_after_its_probes_and_one_that_is_silent_stays()
    {
        await using TestServer server = await TestServer.StartAsync(
            TransportKind.Tcp, null, options => options with { TcpKeepAliveSeconds = TcpKeepAliveSeconds });
        using Socket vanished = await server.ConnectSocketAsync(socket => socket.Bind(new IPEndPoint(IPAddress.Parse(Address), 0)));
        Peer gone = await HearAsync(server, vanished);
        using Socket silent = await server.ConnectSocketAsync();
        Peer there = await HearAsync(server, silent);
        await RunAsync("-I");
        try
        {
            long start = Stopwatch.GetTimestamp();
            await gone.Closed.Task.WaitAsync(Deadline.Long);
            double after = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Assert.True(after >= 2, $"It was gone after {after:F1} s.");
            Assert.False(there.Closed.Task.IsCompleted);
        }
        finally
        {
            await RunAsync("-D");
        }
    }

    private static async Task<Peer> HearAsync(TestServer server, Socket socket)
    {
        await socket.SendAsync("ping"u8.ToArray());
        Assert.True(await socket.ReceiveAsync(new byte[16]).WaitAsync(Deadline.Long) > 0, "closed instead of echoing");
        return await server.NextPeerAsync();
    }

    /// <summary>Begins or ends to drop whatever comes from the address, acknowledgements of probes too.</summary>
    private static async Task RunAsync(string change)
    {
        using Process process = Process.Start("iptables", [change, "INPUT", "-s", Address, "-j", "DROP"]);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}
