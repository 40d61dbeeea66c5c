using System.Text.Json;
using Trunkline.Loadtest.Tests.Options;
using Trunkline.Loadtest.Tests.Support;

namespace Trunkline.Loadtest.Tests.Patterns;

/// <summary>Small runs over loopback against our broker in this process. They judge counts, never times.</summary>
public sealed class RunTests : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private EmbeddedBroker _broker = null!;

    public async Task InitializeAsync() => _broker = await EmbeddedBroker.StartAsync();

    public async Task DisposeAsync() => await _broker.DisposeAsync();

    [Theory]
    [InlineData("fanin -c 5 -q 0", 1)]
    [InlineData("fanin -c 5 -q 2 -V 4", 1)]
    [InlineData("fanout -c 7 -q 1", 7)]
    [InlineData("pair -c 6 -q 1 --loops 2", 1)]
    [InlineData("pair -c 6 -q 1 -V 3", 1)]
    [InlineData("pubsub -c 3 -t all -q 1 --loops 2", 3)]
    [InlineData("fanin -c 4 -q 0 --max --outstanding 10", 1)]
    [InlineData("pair -c 4 -q 1 --max -F 5", 1)]
    [InlineData("pair -c 4 -q 2 --max -F 3 -s 40000", 1)]
    public async Task Everything_published_is_delivered_once_and_in_order(string arguments, int copies)
    {
        RunReport report = await RunAsync($"{arguments} -L 60 -d 30 --rate 600");
        Assert.Equal(60, report.Counts.Published);
        Assert.Equal(60 * copies, report.Counts.Expected);
        Assert.Equal(60 * copies, report.Counts.Delivered);
        Assert.Equal((0, 0, 0, 0, 0), (report.Counts.Lost, report.Counts.Duplicates, report.Counts.Reordered, report.Counts.Foreign, report.Counts.Backlog));
        Assert.Equal(60 * copies, report.Latencies["delivery"].Count);
        Assert.Empty(report.Reasons);
    }

    [Theory]
    [InlineData("--proxy-protocol 1")]
    [InlineData("--proxy-protocol 2")]
    [InlineData("--ws")]
    [InlineData("--ifaddr 127.0.0.2-127.0.0.4")]
    public async Task Other_ways_to_connect(string arguments)
    {
        int port = arguments == "--ws" ? _broker.WebSocketPort : arguments.StartsWith("--proxy", StringComparison.Ordinal) ? _broker.ProxiedPort : _broker.Port;
        RunReport report = await RunAsync($"pair -c 8 -L 40 -d 30 --rate 1000 -q 1 {arguments}", port);
        Assert.Equal((8, 40, 0), (report.Connected, report.Counts.Delivered, report.Counts.Lost));
    }

    [Fact]
    public async Task Conn_connects_all_and_stays()
    {
        RunReport report = await RunAsync("conn -c 50 -R 0 -d 200ms -t x/%i");
        Assert.Equal((50, 50, 0), (report.Connected, report.Counts.Connects, report.Counts.ConnectFailures));
        Assert.Equal(50, report.Latencies["subscribe"].Count);
    }

    [Fact]
    public async Task Conn_subscribes_as_many_filters_as_asked_for()
    {
        RunReport report = await RunAsync("conn -c 5 -R 0 -d 200ms -t x/%i/%f --filters 7");
        Assert.Equal((5, 0), (report.Connected, report.Counts.ConnectFailures));
        Assert.Equal(35, report.Latencies["subscribe"].Count);
    }

    [Theory]
    [InlineData("churn -c 3 -R 300 -L 30 -d 30")]
    [InlineData("churn -c 3 --max -L 30 -d 30 --loops 2")]
    public async Task Churn_counts_whole_cycles(string arguments)
    {
        RunReport report = await RunAsync(arguments);
        Assert.Equal((30, 0, 0), (report.Counts.Cycles, report.Counts.ConnectFailures, report.Counts.Disconnects));
        Assert.Equal(30, report.Latencies["cycle"].Count);
    }

    [Fact]
    public async Task Storm_brings_all_back()
    {
        RunReport report = await RunAsync("storm -c 40 -R 0 -d 30 --rounds 2 --loops 2");
        Assert.Equal(2, report.Storms.Count);
        Assert.All(report.Storms, storm => Assert.Equal((40, 40), (storm.Dropped, storm.Back)));
        Assert.All(report.Storms, storm => Assert.True(storm.HalfUs <= storm.Share99Us && storm.Share99Us <= storm.AllUs));
    }

    [Fact]
    public async Task Sub_and_pub_meet_over_two_runs()
    {
        using var stop = new CancellationTokenSource();
        Task<RunReport> subscribers = RunAsync("sub -c 2 -t meet -q 1 -d 60", stop: stop.Token);
        await Eventually.HoldsAsync(async () => await _broker.CountAsync() == 2, "both subscribers are there");
        RunReport published = await RunAsync("pub -c 3 -t meet -q 1 -L 30 -d 30 --rate 1000");
        await stop.CancelAsync();
        RunReport received = await subscribers;
        Assert.Equal((30, 30), (published.Counts.Published, published.Counts.Acknowledged));
        Assert.Equal((60, 0, 0), (received.Counts.Delivered, received.Counts.Lost, received.Counts.Duplicates));
        Assert.True(received.IsInterrupted);
    }

    [Fact]
    public async Task Lost_connections_are_made_again_and_what_was_due_is_sent()
    {
        using var stop = new CancellationTokenSource();
        Task<RunReport> run = RunAsync("pair -c 4 -q 1 -L 2000 -d 60 --rate 400 --reconnect 10ms -C false -x 60", stop: stop.Token);
        await Eventually.HoldsAsync(async () => await _broker.CountAsync() == 4, "all four are connected");
        await _broker.DropAllAsync();
        RunReport report = await run;
        Assert.Equal(4, report.Counts.Disconnects);
        Assert.Equal((2000, 0, 0), (report.Counts.Published, report.Counts.Backlog, report.Counts.Lost));

        // Both subscribers were cut off and had all of it again; nobody was left whose connection stood throughout.
        Assert.Equal(2, report.Latencies["return"].Count);
        Assert.True(report.Latencies.GetValueOrDefault("undisturbed") is not { } undisturbed || undisturbed.Count < 2000);
    }

    [Fact]
    public async Task Who_loses_its_connection_goes_to_the_next_target_and_is_up_to_date_there()
    {
        EmbeddedBroker other = await EmbeddedBroker.StartAsync();
        await using (other)
        {
            using var stop = new CancellationTokenSource();
            Task<RunReport> run = RunAsync(
                $"pair -c 8 -q 1 -d 60 --rate 400 --reconnect 10ms --failover -h 127.0.0.1:{_broker.Port} --publish-to 127.0.0.1:{other.Port}", stop: stop.Token);
            await Eventually.HoldsAsync(async () => await _broker.CountAsync() == 4 && await other.CountAsync() == 4, "each where it belongs");
            await _broker.DropAllAsync();
            await Eventually.HoldsAsync(async () => await _broker.CountAsync() == 4, "with one target it is the next one, too");
            await other.DropAllAsync();
            await Eventually.HoldsAsync(async () => await other.CountAsync() == 4, "publishers stay with theirs");
            await stop.CancelAsync();
            Assert.Equal(8, (await run).Counts.Disconnects);
        }

        await using EmbeddedBroker third = await EmbeddedBroker.StartAsync();
        using var end = new CancellationTokenSource();
        Task<RunReport> moving = RunAsync(
            $"conn -c 4 -R 0 -d 60 --reconnect 10ms --failover -h 127.0.0.1:{_broker.Port},127.0.0.1:{third.Port}", stop: end.Token);
        await Eventually.HoldsAsync(async () => await _broker.CountAsync() == 2 && await third.CountAsync() == 2, "half and half");
        await third.DropAllAsync();
        await Eventually.HoldsAsync(async () => await _broker.CountAsync() == 4, "all at the first");
        await end.CancelAsync();
        await moving;
    }

    [Fact]
    public async Task Nobody_there_is_a_failure_and_says_why()
    {
        // A port that nobody else is given.
        int port = FreePorts.Take();
        using var errors = new StringWriter();
        using var output = new StringWriter();
        int code = await new LoadCommand(output, errors, TimeProvider.System).RunAsync(
            OptionParserTests.Split($"conn -p {port} -c 2 -d 10ms"), isTerminal: false, CancellationToken.None);
        Assert.Equal(ExitCodes.Failure, code);
        Assert.Contains("refused", output.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("lost=0", ExitCodes.Success)]
    [InlineData("delivered>1000", ExitCodes.ThresholdMissed)]
    public async Task A_missed_threshold_shows_in_the_exit_code(string rule, int expected)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("loadtest-");
        using var output = new StringWriter();
        try
        {
            string page = Path.Combine(folder.FullName, "run.html");
            string lines = Path.Combine(folder.FullName, "run.csv");
            int code = await new LoadCommand(output, TextWriter.Null, TimeProvider.System).RunAsync(
                OptionParserTests.Split($"pair -p {_broker.Port} -c 2 -L 10 -d 30 --rate 500 --pid {Environment.ProcessId}=tests --json - --html {page} --csv {lines} --threshold {rule}"),
                isTerminal: false,
                CancellationToken.None).WaitAsync(Long);
            Assert.Equal(expected, code);
            using var json = JsonDocument.Parse(output.ToString());
            Assert.Equal(10, json.RootElement.GetProperty("counts").GetProperty("delivered").GetInt64());
            Assert.Equal("tests", json.RootElement.GetProperty("processes")[0].GetProperty("name").GetString());
            Assert.Contains("<svg", await File.ReadAllTextAsync(page), StringComparison.Ordinal);
            Assert.StartsWith("seconds,", await File.ReadAllTextAsync(lines), StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private Task<RunReport> RunAsync(string arguments, int? port = null, CancellationToken stop = default)
    {
        (LoadOptions options, IReadOnlyList<string> errors) = OptionParser.Parse(OptionParserTests.Split($"{arguments} -p {port ?? _broker.Port}"));
        Assert.Empty(errors);
        return new LoadCommand(TextWriter.Null, TextWriter.Null, TimeProvider.System)
            .RunAsync(options, arguments, isTerminal: false, stop).WaitAsync(Long, CancellationToken.None);
    }
}
