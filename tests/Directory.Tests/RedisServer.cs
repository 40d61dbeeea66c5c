using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Trunkline.Directory.Tests;

/// <summary>A redis-server of our own on a free loopback port with a folder of its own; ended by its process id.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private readonly string _folder = System.IO.Directory.CreateTempSubdirectory("trunkline-redis-").FullName;
    private readonly string[] _arguments;
    private Process? _process;
    private string? _sentinelFile;
    private Action<ProcessStartInfo> _prepare = static _ => { };

    private RedisServer(int port, string[] arguments)
    {
        Port = port;
        _arguments = arguments;
    }

    public int Port { get; }

    public string Folder => _folder;

    public string Endpoint => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    public static Task<RedisServer> StartAsync(params string[] arguments) => StartAsync(static _ => { }, arguments);

    /// <summary>The same with what else its process is to have, a clock of its own for one.</summary>
    public static async Task<RedisServer> StartAsync(Action<ProcessStartInfo> prepare, params string[] arguments)
    {
        var server = new RedisServer(FreePorts.Take(), arguments) { _prepare = prepare };
        await server.RunAsync();
        return server;
    }

    /// <summary>A sentinel that watches the master "m" at that port; a second's silence is enough for it.</summary>
    public static async Task<RedisServer> StartSentinelAsync(int master, int quorum)
    {
        var server = new RedisServer(FreePorts.Take(), []);
        string file = Path.Combine(server._folder, "sentinel.conf");
        await File.WriteAllTextAsync(file, string.Create(CultureInfo.InvariantCulture, $"""
            port {server.Port}
            bind 127.0.0.1
            dir {server._folder}
            logfile {server._folder}/log
            sentinel monitor m 127.0.0.1 {master} {quorum}
            sentinel down-after-milliseconds m 1000
            sentinel failover-timeout m 3000
            sentinel parallel-syncs m 1

            """));
        server._sentinelFile = file;
        await server.RunAsync();
        return server;
    }

    /// <summary>Three masters with a replica each; masters first, the replica of number i is number i + 3.</summary>
    public static async Task<RedisServer[]> StartClusterOfSixAsync()
    {
        RedisServer[] servers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => StartAsync(
            "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", FreePorts.Take().ToString(CultureInfo.InvariantCulture),
            "--appendonly", "yes", "--appendfsync", "always")));
        string[] ids = new string[6];
        for (int i = 0; i < 6; i++)
        {
            ids[i] = (await servers[i].CommandAsync("CLUSTER MYID")).Split('\n')[1].Trim();
            if (i < 3)
            {
                await servers[i].CommandAsync(string.Create(CultureInfo.InvariantCulture, $"CLUSTER ADDSLOTSRANGE {i * 5_461} {(i == 2 ? 16_383 : (i + 1) * 5_461 - 1)}"));
            }

            await servers[i].CommandAsync($"CLUSTER SET-CONFIG-EPOCH {i + 1}");
            await servers[i].CommandAsync(string.Create(CultureInfo.InvariantCulture, $"CLUSTER MEET 127.0.0.1 {servers[0].Port} {servers[0]._arguments[5]}"));
        }

        async Task<bool> SeesAsync(RedisServer server, string what) => (await server.CommandAsync("CLUSTER INFO")).Contains(what, StringComparison.Ordinal);
        for (int i = 3; i < 6; i++)
        {
            RedisServer replica = servers[i];
            await Eventually.HoldsAsync(() => SeesAsync(replica, "cluster_known_nodes:6"), "the nodes met");
            string master = ids[i - 3];
            await Eventually.HoldsAsync(async () => (await replica.CommandAsync("CLUSTER REPLICATE " + master)).StartsWith("+OK", StringComparison.Ordinal), "it is a replica");
        }

        foreach (RedisServer server in servers)
        {
            await Eventually.HoldsAsync(() => SeesAsync(server, "cluster_state:ok"), "the cluster is up");
        }

        foreach (RedisServer replica in servers[3..])
        {
            await Eventually.HoldsAsync(async () => (await replica.CommandAsync("INFO replication")).Contains("master_link_status:up", StringComparison.Ordinal), "it has the data");
        }

        return servers;
    }

    /// <summary>One node that serves all slots, in cluster mode: a script that touches two slots fails there.</summary>
    public static async Task<RedisServer> StartClusterAsync()
    {
        RedisServer server = await StartAsync("--cluster-enabled", "yes", "--cluster-port", FreePorts.Take().ToString(CultureInfo.InvariantCulture));
        await server.CommandAsync("CLUSTER ADDSLOTSRANGE 0 16383");
        await Eventually.HoldsAsync(
            async () => (await server.CommandAsync("CLUSTER INFO")).Contains("cluster_state:ok", StringComparison.Ordinal),
            "the cluster is up");

        return server;
    }

    public async Task RunAsync()
    {
        string[] fixedOnes =
        [
            "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", _folder, "--save", "", "--appendonly", "no",
            "--daemonize", "no", "--logfile", Path.Combine(_folder, "log"), "--enable-debug-command", "yes",
        ];
        string[] all = _sentinelFile is { } file ? [file, "--sentinel"] : [.. fixedOnes, .. _arguments];
        var start = new ProcessStartInfo("redis-server", all);
        _prepare(start);
        _process = Process.Start(start) ?? throw new InvalidOperationException("no redis-server");
        await Eventually.HoldsAsync(AnswersAsync, "redis-server answers");
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            return (await CommandAsync("PING")).Length > 0;
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            Assert.False(_process!.HasExited, "redis-server ended at start");
            return false;
        }
    }

    public void Stop() => Signal("STOP");

    public void Continue() => Signal("CONT");

    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>One inline command on a connection of its own; what came within a moment.</summary>
    public async Task<string> CommandAsync(string line)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"));
        byte[] buffer = new byte[64 * 1024];
        int read = await stream.ReadAsync(buffer);
        return Encoding.UTF8.GetString(buffer, 0, read);
    }

    /// <summary>Awaits that sentinels have made it a replica. That ends every connection of a client to it, one that asks too.</summary>
    public Task DemotedAsync() => Eventually.HoldsAsync(
        async () =>
        {
            try
            {
                return (await CommandAsync("INFO replication")).Contains("role:slave", StringComparison.Ordinal);
            }
            catch (IOException)
            {
                return false;
            }
        },
        "the old master has become a replica");

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }

        System.IO.Directory.Delete(_folder, recursive: true);
    }

    private void Signal(string name)
    {
        using Process kill = Process.Start("kill", ["-" + name, _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
