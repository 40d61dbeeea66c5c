using System.Diagnostics;
using System.Globalization;
using Trunkline.Tool;
using Trunkline.Tool.Processes;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>
/// A tier of real processes, taken up by ./trunkline as a person would, in a folder and on ports of its own. Disposing
/// takes it down; the folder stays when the test says so, and is removed otherwise.
/// </summary>
public sealed class Tier : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private readonly TestPorts _ports;

    private Tier(TestPorts ports, TierDescription description)
    {
        _ports = ports;
        Now = description;
    }

    /// <summary>Parts, ports and pids as last read: a start or stop reads them anew.</summary>
    public TierDescription Now { get; private set; }

    public string Folder => Now.Dir;

    public int BasePort => _ports.Base;

    /// <summary>Starts a tier and returns when each part is ready. Fails the test with the tool's own words.</summary>
    public static Task<Tier> UpAsync(TierOptions? options = null) => UpAsync(_ => options ?? new TierOptions());

    /// <summary>Starts a tier whose options need to know the first of its hundred ports: for relays and further listeners.</summary>
    public static async Task<Tier> UpAsync(Func<int, TierOptions> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        TestPorts ports = TestPorts.Take();
        string folder = NewFolder();
        try
        {
            CommandResult result = await UpAsync(folder, ports.Base, options(ports.Base));
            return new Tier(ports, TierDescription.Parse(result.EnsureSuccess().Output));
        }
        catch
        {
            ports.Dispose();
            throw;
        }
    }

    /// <summary>Runs `tier up` for a test of the tool itself; whatever comes of it is the caller's.</summary>
    public static Task<CommandResult> UpAsync(string folder, int basePort, TierOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return ToolAsync(
        [
            "tier", "up", "--dir", folder, "--base-port", basePort.ToString(CultureInfo.InvariantCulture),
            .. options.Arguments(),
        ]);
    }

    /// <summary>Runs ./trunkline.</summary>
    public static Task<CommandResult> ToolAsync(params string[] arguments) =>
        CommandRunner.RunAsync(Deadline, null, Path.Combine(Repository.Root, "trunkline"), arguments);

    /// <summary>A folder for one tier's files.</summary>
    public static string NewFolder() => Directory.CreateTempSubdirectory("trunkline-tier-").FullName;

    /// <summary>Starts a stopped part and waits until it is ready.</summary>
    public Task StartAsync(string name) => ChangeAsync("start", name);

    /// <summary>Starts a stopped part with another environment: what the tool is started with, the part inherits.</summary>
    public async Task StartAsync(string name, Action<ProcessStartInfo> change)
    {
        CommandResult result = await CommandRunner.RunAsync(
            Deadline, change, Path.Combine(Repository.Root, "trunkline"), "tier", "start", name, "--dir", Folder);
        Now = TierDescription.Parse(result.EnsureSuccess().Output);
    }

    /// <summary>Stops a part: SIGTERM first, or SIGKILL at once.</summary>
    public Task StopAsync(string name, bool kill = false) => ChangeAsync(kill ? ["stop", name, "--kill"] : ["stop", name]);

    /// <summary>kill -9 of a part.</summary>
    public Task KillAsync(string name) => StopAsync(name, kill: true);

    /// <summary>The process of a part that runs.</summary>
    public int Pid(string name) =>
        (Now.Proxies.FirstOrDefault(part => part.Name == name)?.Pid
        ?? Now.Brokers.FirstOrDefault(part => part.Name == name)?.Pid
        ?? Now.Redis.FirstOrDefault(part => part.Name == name)?.Pid
        ?? (name == "nginx" ? Now.Nginx?.Pid : null))
        ?? throw new InvalidOperationException($"{name} does not run.");

    /// <summary>Holds a part's process (SIGSTOP) until the result is disposed (SIGCONT).</summary>
    public IDisposable Freeze(string name) => new FrozenProcess(Pid(name));

    /// <summary>What a part wrote to its log so far.</summary>
    public string ReadLog(string name) => File.ReadAllText(Path.Combine(Folder, name, name + ".log"));

    /// <summary>Returns when a part's log holds the text: a process writes its lines behind what they tell of.</summary>
    public Task LogsAsync(string name, string text) => Eventually.HoldsAsync(
        () => ReadLog(name).Contains(text, StringComparison.Ordinal), () => $"{name} logs \"{text}\"; it has\n{ReadLog(name)}");

    /// <summary>Takes the tier down; a second call does nothing.</summary>
    public async Task<CommandResult?> DownAsync() =>
        File.Exists(Path.Combine(Folder, "tier.json")) ? await ToolAsync("tier", "down", "--dir", Folder) : null;

    public async ValueTask DisposeAsync()
    {
        CommandResult? result = await DownAsync();
        _ports.Dispose();
        result?.EnsureSuccess();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>True while a process of that id runs: a zombie does not.</summary>
    public static bool Runs(int pid) => ProcessStat.Read(pid) is { HasEnded: false };

    private async Task ChangeAsync(params string[] arguments)
    {
        CommandResult result = await ToolAsync(["tier", .. arguments, "--dir", Folder]);
        Now = TierDescription.Parse(result.EnsureSuccess().Output);
    }

    private sealed class FrozenProcess : IDisposable
    {
        private readonly int _pid;

        public FrozenProcess(int pid)
        {
            _pid = pid;
            Signal("-STOP");
            // The signal takes effect when the thread it was given to has run: on a busy machine the others go on until then.
            if (!SpinWait.SpinUntil(IsStopped, TimeSpan.FromSeconds(30)))
            {
                throw new InvalidOperationException($"Process {pid} runs 30 s after SIGSTOP.");
            }
        }

        public void Dispose() => Signal("-CONT");

        private bool IsStopped() => Directory.EnumerateDirectories($"/proc/{_pid}/task")
            .All(thread => ProcessStat.Read(int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture)) is null or { State: 'T' });

        private void Signal(string signal)
        {
            using Process kill = Process.Start("kill", [signal, _pid.ToString(CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
        }
    }
}
