using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Parts;
using Trunkline.Tool.Processes;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Bench.Peers;

/// <summary>
/// The processes of one row: tiers of ours and peers. Started one after the other by the row, all stopped when it is
/// disposed, whatever happened. One flow at a time.
/// </summary>
internal sealed class Stage(BenchSettings settings) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // A proxy with Redis and many devices drains for Drain:MaximumMs (10 s), then closes and writes for CloseGraceMs each (2 s).
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HoldPatience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan HoldPoll = TimeSpan.FromMilliseconds(200);

    private readonly PartRunner _parts = new(settings.Time);
    private readonly TierRunner _tiers = new(settings.Time);
    private readonly Dictionary<int, TierState> _up = [];
    private readonly Dictionary<string, Part> _peers = [];
    private readonly List<LoadProcessHandle> _held = [];

    /// <summary>The peers, ready to be started.</summary>
    public PeerParts Peers { get; } = new(Path.Combine(settings.Folder, "peers"), settings.Ports);

    /// <summary>Starts a tier of ours.</summary>
    public async Task TierAsync(TierPlan plan, CancellationToken cancellation)
    {
        TierSpecification specification = new(
            settings.Ports.Tier(plan.Slot), plan.Proxies, plan.Groups, plan.Broker, plan.Redis ? RedisKind.Single : RedisKind.None, Nginx: false)
        {
            Store = plan.Store,
            Commit = plan.Commit,
            ForeignLog = plan.ForeignLog,
            ProxySettings = [.. plan.ProxySettings, .. settings.ProxySettings],
        };
        _up[plan.Slot] = await _tiers.UpAsync(specification, FolderOf(plan.Slot), Patience, cancellation);
    }

    /// <summary>
    /// Connects devices that stay, and waits until a proxy holds that many subscriptions more. They go with
    /// <see cref="LetGoAsync"/>, or with the stage.
    /// </summary>
    public async Task HoldAsync(int slot, string proxy, IReadOnlyList<string> load, int subscriptions, CancellationToken cancellation)
    {
        int management = Port(slot, proxy, "management");
        double before = (await Metrics.ReadAsync(management, cancellation)).Sum("trunkline_subscriptions");
        LoadTarget target = LoadTarget.Port(Port(slot, proxy, "mqtt"));
        LoadProcessHandle handle = LoadRunner.Start(["conn", .. load, "-k", "600", "-d", "0", "--connect-timeout", "60s", .. target.Arguments(), "--quiet"]);
        _held.Add(handle);
        long start = settings.Time.GetTimestamp();
        double now;
        while ((now = (await Metrics.ReadAsync(management, cancellation)).Sum("trunkline_subscriptions")) < before + subscriptions)
        {
            if (!handle.IsRunning || settings.Time.GetElapsedTime(start) > HoldPatience)
            {
                throw new RoundFault(FormattableString.Invariant($"{now - before:0} of {subscriptions} subscriptions stand: loadtest conn {string.Join(' ', load)}"));
            }

            await Task.Delay(HoldPoll, settings.Time, cancellation);
        }
    }

    /// <summary>Lets go of all devices that were held.</summary>
    public async Task LetGoAsync()
    {
        foreach (LoadProcessHandle handle in _held)
        {
            await handle.DisposeAsync();
        }

        _held.Clear();
    }

    /// <summary>Starts a peer and waits until it serves.</summary>
    public async Task PeerAsync(Part part, CancellationToken cancellation)
    {
        IReadOnlyDictionary<int, string> holders = PortHolders.Find([.. part.Ports.Select(port => port.Number)]);
        if (holders.Count > 0)
        {
            throw new ToolException($"Port {holders.First().Key} for {part.Name} is taken by {holders.First().Value}. Choose another --base-port.");
        }

        Part started = PartRunner.Start(part);
        _peers[part.Name] = started;
        await _parts.WaitUntilReadyAsync(started, Patience, cancellation);
    }

    /// <summary>Starts a peer, or puts an empty process in the place of the one that runs.</summary>
    public async Task RestartPeerAsync(Part part, CancellationToken cancellation)
    {
        if (_peers.Remove(part.Name, out Part? running))
        {
            await _parts.StopAsync(running, Grace);
        }

        await PeerAsync(part, cancellation);
    }

    /// <summary>Puts an empty process in the place of a part of a tier.</summary>
    public async Task RestartPartAsync(int slot, string name, CancellationToken cancellation)
    {
        await _tiers.StopAsync(FolderOf(slot), name, kill: true, cancellation);
        _up[slot] = await _tiers.StartAsync(FolderOf(slot), name, Patience, cancellation);
    }

    /// <summary>A part of a tier.</summary>
    public Part Part(int slot, string name) => _up[slot].Find(name);

    /// <summary>A port of a part of a tier.</summary>
    public int Port(int slot, string name, string port) =>
        Part(slot, name).Port(port) ?? throw new ToolException($"{name} has no port {port}.");

    /// <summary>The authority that signed a tier's certificates.</summary>
    public string CaFile(int slot) => _up[slot].CaFile;

    /// <summary>The folder of a tier's certificates.</summary>
    public string AuthorityFolder(int slot) => Path.GetDirectoryName(CaFile(slot))!;

    /// <summary>The process of a part, to be measured under the part's name without its number.</summary>
    public MeasuredProcess Measured(int slot, string name) => new(Part(slot, name).Process!.Pid, Plain(name));

    /// <summary>All processes of a peer: nginx has a master and a worker.</summary>
    public IReadOnlyList<MeasuredProcess> MeasuredPeer(string name) =>
        [.. _peers[name].Process!.RunningMembers().Select(pid => new MeasuredProcess(pid, name))];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await LetGoAsync();
        foreach (int slot in _up.Keys)
        {
            await _tiers.DownAsync(FolderOf(slot), CancellationToken.None);
        }

        foreach (Part peer in _peers.Values.Reverse())
        {
            await _parts.StopAsync(peer, Grace);
        }

        _up.Clear();
        _peers.Clear();
    }

    private static string Plain(string name) => name.IndexOf('-', StringComparison.Ordinal) is var dash and > 0 ? name[..dash] : name;

    private string FolderOf(int slot) => Path.Combine(settings.Folder, FormattableString.Invariant($"tier-{slot}"));
}
