using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>
/// Three broker processes one after the other on one folder, recorded: the first keeps everything and is killed; the second thins and drops,
/// under a term that a link raised, and is killed; the third drops all but its newest segments, and is stopped in order.
/// </summary>
internal sealed class PowerCutLoad : IDisposable
{
    /// <summary>Far above every clock: only what the log holds keeps later terms above it.</summary>
    public const ulong FarTerm = 9_000_000_000_000_000;

    private const int Seed = 20261127;

    /// <summary>Syncs beside the writes, where a process does them, each with messages behind the one before; the disk sets their pace.</summary>
    private const int SyncsEach = 12;

    /// <summary>Messages of each publisher between two syncs.</summary>
    private const int Between = 8;

    /// <summary>Messages of one publisher to one process: three times as many are fewer than it has numbers.</summary>
    private const int MessagesEach = 3_000;

    private readonly bool _syncsBeside;
    private readonly TempFolder _folder = new();
    private readonly List<(string Trace, string Left)> _runs = [];
    private int _acknowledged;

    private PowerCutLoad(bool syncsBeside) => _syncsBeside = syncsBeside;

    /// <summary>Who published; each has a tenant of its own, one much more than its share.</summary>
    public IReadOnlyList<CutPublisher> Publishers { get; } =
    [
        new(0, Seed) { Tenant = "a", IsLink = true },
        new(1, Seed) { Tenant = "b", IsLink = true, OriginalQoS = QoS.ExactlyOnce },
        new(2, Seed) { Tenant = "c" },
        new(3, Seed) { Tenant = "d", OriginalQoS = QoS.ExactlyOnce },
        new(4, Seed) { Tenant = "hog", IsLink = true, PayloadMaximum = 3_000 },
        new(5, Seed) { Tenant = "r", IsLink = true, Retains = true, TopicCount = 6 },
    ];

    /// <summary>Records it; some seconds.</summary>
    public static async Task<PowerCutLoad> RecordAsync(string commit)
    {
        // More than a few thousand are for long runs by hand: each image is judged message by message.
        int times = PowerCutTests.Number("TRUNKLINE_LOAD", 1);
        var load = new PowerCutLoad(syncsBeside: commit == "os");
        await load.RunAsync(400 * times, "KILL", 0, $"Broker:Commit={commit}", "Broker:LogSegmentBytes=16384", "Broker:LogBlockBytes=4096", "Broker:SyncIntervalMs=16");
        await load.RunAsync(600 * times, "KILL", FarTerm, $"Broker:Commit={commit}", "Broker:LogSegmentBytes=16384", "Broker:LogBlockBytes=4096", "Broker:SyncIntervalMs=16", "Broker:LogMaximumBytes=131072");
        await load.RunAsync(400 * times, "TERM", 0, $"Broker:Commit={commit}", "Broker:LogSegmentBytes=32768", "Broker:LogBlockBytes=4096", "Broker:SyncIntervalMs=16", "Broker:LogMaximumBytes=65536");
        return load;
    }

    /// <summary>Reads what was recorded.</summary>
    public DiskRecording Read(Syncs syncs = Syncs.All) => DiskRecording.Read(Path.Combine(_folder.Path, "disk"), _runs, syncs);

    public void Dispose() => _folder.Dispose();

    /// <summary>Copies a folder that nobody uses, with empty folders in it.</summary>
    public static void CopyAll(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        }

        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
        }
    }

    /// <summary>One process, ended amid the load once so many messages were acknowledged to it.</summary>
    private async Task RunAsync(int messages, string signal, ulong highestTerm, params string[] settings)
    {
        string disk = Path.Combine(_folder.Path, "disk");
        Directory.CreateDirectory(disk);
        string trace = Path.Combine(_folder.Path, $"trace-{_runs.Count}");

        // The process makes the folder of its data, too.
        await using RecordedBroker broker = await RecordedBroker.StartAsync(Path.Combine(disk, "data"), trace, settings);
        int until = int.MaxValue;
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var pace = new PublishingPace();
        Task publishing = Task.WhenAll(Publishers.Select(publisher => publisher.RunAsync(broker.Port, highestTerm, MessagesEach, () =>
        {
            if (Interlocked.Increment(ref _acknowledged) >= Volatile.Read(ref until))
            {
                enough.TrySetResult();
            }
        }, pace)));
        if (_syncsBeside)
        {
            await FollowSyncsAsync(broker, pace);
        }

        Volatile.Write(ref until, Volatile.Read(ref _acknowledged) + messages);
        pace.Allow(MessagesEach);
        await Eventually.InTimeAsync(Task.WhenAny(enough.Task, publishing), "the broker acknowledges");
        await broker.EndAsync(signal);
        await Eventually.InTimeAsync(publishing, "the publishers see the end");
        Assert.True(enough.Task.IsCompleted, "the broker ended by itself");
        string left = Path.Combine(_folder.Path, $"left-{_runs.Count}");
        CopyAll(disk, left);
        _runs.Add((trace, left));
    }

    /// <summary>After each sync every publisher sends a few messages for the next one.</summary>
    private static async Task FollowSyncsAsync(RecordedBroker broker, PublishingPace pace)
    {
        pace.Allow(Between);
        for (int seen = 0; seen < SyncsEach;)
        {
            int syncs = 0;
            await Eventually.HoldsAsync(async () => (syncs = await broker.CountSyncsAsync()) > seen, "the broker syncs");
            seen = syncs;
            pace.Allow((seen + 1) * Between);
        }
    }
}
