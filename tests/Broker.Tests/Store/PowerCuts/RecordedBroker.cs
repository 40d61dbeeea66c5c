using System.Diagnostics;
using System.Globalization;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>A broker process, with or without strace around it that records what it does to its files and what it sends.</summary>
internal sealed class RecordedBroker : IAsyncDisposable
{
    private readonly Process _process;
    private readonly bool _isTraced;
    private readonly List<string> _lines = [];
    private readonly TaskCompletionSource _serves = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RecordedBroker(Process process, bool isTraced)
    {
        _process = process;
        _isTraced = isTraced;
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Where it listens.</summary>
    public int Port { get; private init; }

    private int ManagementPort { get; init; }

    /// <summary>Starts one; it serves when this returns.</summary>
    /// <param name="data">The folder above its group's.</param>
    /// <param name="trace">Where strace writes to; null for a process of its own.</param>
    /// <param name="settings">As on its command line, <c>Broker:Commit=always</c>.</param>
    public static async Task<RecordedBroker> StartAsync(string data, string? trace, params string[] settings)
    {
        int port = FreePorts.Take();
        int management = FreePorts.Take();
        string[] command =
        [
            Executable(), "--data", data, "--group", "g", "--management-port", management.ToString(CultureInfo.InvariantCulture),
            "--Broker:Store=file", "--Broker:SystemIntervalMs=0", "--Listeners:0:Name=mqtt", "--Listeners:0:Type=tcp",
            $"--Listeners:0:Address=127.0.0.1:{port}", .. settings.Select(setting => "--" + setting),
        ];
        string[] around = trace is null
            ? []
            : ["strace", "-f", "--seccomp-bpf", "-xx", "-s", "10000000", "-e", "signal=SIGKILL", "-e", $"trace={SystemCallTrace.Calls}", "-o", trace];
        string[] all = [.. around, .. command];
        var start = new ProcessStartInfo(all[0], all[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        var broker = new RecordedBroker(Process.Start(start)!, trace is not null) { Port = port, ManagementPort = management };
        Task ended = broker._process.WaitForExitAsync();
        await Eventually.InTimeAsync(Task.WhenAny(broker._serves.Task, ended), "the broker serves");
        Assert.True(broker._serves.Task.IsCompleted, $"The broker ended: {broker.Said()}");
        return broker;
    }

    /// <summary>How often it has synced its log beside its writes.</summary>
    public async Task<int> CountSyncsAsync()
    {
        const string counter = "trunkline_broker_events_total{";
        using var client = new HttpClient();
        string metrics = await client.GetStringAsync(new Uri($"http://127.0.0.1:{ManagementPort}/metrics"));
        string line = metrics.Split('\n').Single(line =>
            line.StartsWith(counter, StringComparison.Ordinal) && line.Contains("event=\"log_syncs\"", StringComparison.Ordinal));
        return int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Ends it by SIGKILL or SIGTERM; its recording is complete when this returns.</summary>
    public async Task EndAsync(string signal)
    {
        using (Process kill = Process.Start("kill", [$"-{signal}", Pid().ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }

        await Eventually.InTimeAsync(_process.WaitForExitAsync(), "the broker ends");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await EndAsync("KILL");
        }

        _process.Dispose();
    }

    /// <summary>What the build made of broker/, in the configuration that these tests have.</summary>
    private static string Executable()
    {
        string framework = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        string configuration = Path.GetDirectoryName(framework)!;
        string repository = Path.GetFullPath(Path.Combine(configuration, "..", "..", "..", ".."));
        return Path.Combine(repository, "broker", "bin", Path.GetFileName(configuration), Path.GetFileName(framework), "trunkline-broker");
    }

    /// <summary>The broker is the one child of its strace.</summary>
    private int Pid() => !_isTraced
        ? _process.Id
        : int.Parse(File.ReadAllText($"/proc/{_process.Id}/task/{_process.Id}/children").Trim(), CultureInfo.InvariantCulture);

    private string Said()
    {
        lock (_lines)
        {
            return string.Join('\n', _lines);
        }
    }

    private void Take(string? line)
    {
        lock (_lines)
        {
            _lines.Add(line ?? "");
        }

        if (line?.Contains(" serves at ", StringComparison.Ordinal) == true)
        {
            _serves.TrySetResult();
        }
    }
}
