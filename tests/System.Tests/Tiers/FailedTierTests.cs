using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;
using Trunkline.Tool.Processes;

namespace Trunkline.SystemTests.Tiers;

/// <summary>What `tier up` refuses, and that a failed one leaves nothing behind.</summary>
public sealed class FailedTierTests
{
    [Theory]
    [InlineData("--redis-durability replicas", "use --redis sentinel or cluster")]
    [InlineData("--redis-durability often", "'often' not recognized")]
    [InlineData("--redis none", "without a directory in common")]
    [InlineData("--proxies 11", "--proxies 11 does not fit")]
    [InlineData("--groups 11", "--groups 11 does not fit")]
    [InlineData("--groups 0", "without a broker")]
    [InlineData("--base-port 80", "--base-port 80 does not do")]
    [InlineData("--base-port 65500", "--base-port 65500 does not do")]
    [InlineData("--proxies 0 --groups 0 --redis none", "no part at all")]
    [InlineData("--proxy-set nonsense", "'nonsense' is not a setting")]
    [InlineData("--broker rabbit", "'rabbit' not recognized")]
    public async Task What_does_not_fit_is_refused_with_a_sentence(string arguments, string sentence)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        string folder = Tier.NewFolder();
        CommandResult result = await Tier.ToolAsync(["tier", "up", "--dir", folder, .. arguments.Split(' ')]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(sentence, result.Errors, StringComparison.Ordinal);
        Assert.Empty(result.Output);
        Assert.DoesNotContain(Directory.EnumerateFiles(folder), file => file.EndsWith("tier.json", StringComparison.Ordinal));
        Directory.Delete(folder, recursive: true);
    }

    [ProgramsFact("redis-server", "mosquitto", "nginx")]
    public async Task A_failed_up_stops_what_it_started_and_shows_the_log_of_the_part()
    {
        using TestPorts ports = TestPorts.Take();
        string folder = Tier.NewFolder();

        // No proxy takes this for an address: it ends at once, after Redis and the brokers were ready.
        TierOptions options = new()
        {
            Proxies = 1,
            Groups = 1,
            Broker = "mosquitto",
            Nginx = true,
            ProxySettings = ["Management:Address=nonsense"],
        };
        CommandResult result = await Tier.UpAsync(folder, ports.Base, options);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("proxy-1 ended while it was starting", result.Errors, StringComparison.Ordinal);
        Assert.Contains("proxy-1.log", result.Errors, StringComparison.Ordinal);
        Assert.Empty(result.Output);
        Assert.Empty(PortHolders.Find([.. Enumerable.Range(ports.Base, 100)]));
        Assert.NotEqual(0, (await Tier.ToolAsync("tier", "status", "--dir", folder)).ExitCode);

        // What went wrong can still be read.
        Assert.True(File.Exists(Path.Combine(folder, "redis-1", "redis-1.log")));
        Directory.Delete(folder, recursive: true);
    }

    [ProgramsFact("redis-server")]
    public async Task A_taken_port_is_named_with_its_holder_before_anything_starts()
    {
        using TestPorts ports = TestPorts.Take();
        string folder = Tier.NewFolder();
        int redis = ports.Base + 80;
        using TcpListener holder = new(IPAddress.Loopback, redis);
        holder.Start();

        CommandResult result = await Tier.UpAsync(folder, ports.Base, new TierOptions { Proxies = 0, Groups = 0 });

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"{redis} by "), result.Errors, StringComparison.Ordinal);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"(process {Environment.ProcessId})"), result.Errors, StringComparison.Ordinal);
        Assert.Contains("--base-port", result.Errors, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [ProgramsFact("redis-server")]
    public async Task A_second_up_in_the_same_folder_is_refused_and_touches_nothing()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 0, Groups = 0 });
        CommandResult result = await Tier.UpAsync(tier.Folder, tier.BasePort, new TierOptions { Proxies = 0, Groups = 0 });
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("already", result.Errors, StringComparison.Ordinal);
        Assert.True(Tier.Runs(tier.Pid("redis-1")));
    }

    [Fact]
    public async Task A_part_that_never_gets_ready_is_stopped_after_the_timeout()
    {
        using TestPorts ports = TestPorts.Take();
        string folder = Tier.NewFolder();

        // Long enough that the part has said something by then, on a busy machine too.
        CommandResult result = await CommandRunner.RunAsync(
            TimeSpan.FromSeconds(60), start => PutFakeRedisFirst(start, folder), Script, Arguments(folder, ports, "4"));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("redis-1 was not ready within 4 s", result.Errors, StringComparison.Ordinal);
        Assert.Contains("I never listen", result.Errors, StringComparison.Ordinal);
        Assert.False(Tier.Runs(FakeRedisPid(folder)));
        Directory.Delete(folder, recursive: true);
    }

    [ProgramsTheory("redis-server", "python3")]
    [InlineData("sentinel", "sentinel-1", "INFO sentinel")]
    [InlineData("sentinel", "redis-2", "INFO replication")]
    [InlineData("cluster", "redis-4", "CLUSTER MYID")]
    public async Task A_Redis_that_answers_and_then_falls_silent_ends_an_up_in_time_and_nothing_is_left(string form, string silent, string question)
    {
        using TestPorts ports = TestPorts.Take();
        string folder = Tier.NewFolder();
        long begun = Stopwatch.GetTimestamp();
        CommandResult result = await CommandRunner.RunAsync(
            TimeSpan.FromMinutes(2), start => PutSilentRedisFirst(start, folder, silent), Script, [.. Arguments(folder, ports, "8"), "--redis", form]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"{silent} did not find the others within 8 s: '{question}' answers nothing", result.Errors, StringComparison.Ordinal);

        // Two stages of 8 s each at most, and what it takes to end the processes.
        Assert.InRange(Stopwatch.GetElapsedTime(begun).TotalSeconds, 0, 60);
        Assert.Empty(PortHolders.Find([.. Enumerable.Range(ports.Base, 100)]));
        Assert.NotEqual(0, (await Tier.ToolAsync("tier", "status", "--dir", folder)).ExitCode);
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("-INT")]
    [InlineData("-TERM")]
    public async Task An_interrupted_up_stops_what_it_started(string signal)
    {
        using TestPorts ports = TestPorts.Take();
        string folder = Tier.NewFolder();

        // A shell starts what it puts into the background with SIGINT ignored, and its children inherit that: a suite that
        // runs in the background would ask for an answer that no process of it may give.
        ProcessStartInfo start = new("/usr/bin/env", ["--default-signal=INT", Script, .. Arguments(folder, ports, "60")]);
        PutFakeRedisFirst(start, folder);
        await using LiveProcess up = LiveProcess.Start(start);
        string log = Path.Combine(folder, "redis-1", "redis-1.log");
        await Eventually.HoldsAsync(
            async () => File.Exists(log) && (await File.ReadAllTextAsync(log)).Length > 0,
            () => "redis-1 has begun\n" + string.Join('\n', up.Lines));

        int redis = FakeRedisPid(folder);
        Assert.True(Tier.Runs(redis));
        await CommandRunner.RunAsync("kill", signal, up.Pid.ToString(CultureInfo.InvariantCulture));

        Assert.Equal(130, await up.AwaitExitAsync(TimeSpan.FromSeconds(30)));
        Assert.False(Tier.Runs(redis));
        Assert.NotEqual(0, (await Tier.ToolAsync("tier", "status", "--dir", folder)).ExitCode);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Commands_on_no_tier_say_so()
    {
        string folder = Tier.NewFolder();
        foreach (string[] command in new string[][] { ["down"], ["status"], ["start", "nginx"], ["stop", "nginx"] })
        {
            CommandResult result = await Tier.ToolAsync(["tier", .. command, "--dir", folder]);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains("No tier is up in", result.Errors, StringComparison.Ordinal);
        }

        Directory.Delete(folder, recursive: true);
    }

    private static string Script => Path.Combine(Repository.Root, "trunkline");

    private static string[] Arguments(string folder, TestPorts ports, string timeoutSeconds) =>
    [
        "tier", "up", "--dir", folder, "--base-port", ports.Base.ToString(CultureInfo.InvariantCulture),
        "--proxies", "0", "--groups", "0", "--timeout", timeoutSeconds,
    ];

    // A program of Redis's name that starts, says its id, and serves nobody.
    private static void PutFakeRedisFirst(ProcessStartInfo start, string folder)
    {
        string file = Path.Combine(folder, "redis-server");
        File.WriteAllText(file, "#!/bin/sh\necho $$ I never listen\nexec sleep 300\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        start.Environment["PATH"] = folder + ":" + Environment.GetEnvironmentVariable("PATH");
    }

    // Redis but for one part, which answers PING and nothing else: its sockets stay open and silent.
    private static void PutSilentRedisFirst(ProcessStartInfo start, string folder, string silent)
    {
        string real = Environment.GetEnvironmentVariable("PATH")!.Split(':').Append("/usr/bin").Select(place => Path.Combine(place, "redis-server")).First(File.Exists);
        string file = Path.Combine(folder, "redis-server");
        File.WriteAllText(file, $$"""
            #!/bin/sh
            case "$1" in
            */{{silent}}/*) exec python3 -c '
            import re, socketserver, sys
            class Silent(socketserver.StreamRequestHandler):
                def handle(self):
                    for line in self.rfile:
                        if line.strip() == b"PING":
                            self.wfile.write(b"+PONG\r\n")
            class Server(socketserver.ThreadingTCPServer):
                allow_reuse_address = daemon_threads = True
            port = int(re.search(r"^port (\d+)", open(sys.argv[1]).read(), re.M).group(1))
            Server(("127.0.0.1", port), Silent).serve_forever()' "$1" ;;
            *) exec {{real}} "$@" ;;
            esac

            """);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        start.Environment["PATH"] = folder + ":" + Environment.GetEnvironmentVariable("PATH");
    }

    private static int FakeRedisPid(string folder) =>
        int.Parse(File.ReadAllText(Path.Combine(folder, "redis-1", "redis-1.log")).Split(' ')[0], CultureInfo.InvariantCulture);
}
