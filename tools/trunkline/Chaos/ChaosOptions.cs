using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Chaos;

/// <summary>What a run of chaos consists of. Times are real: processes die and come back.</summary>
internal sealed record ChaosOptions
{
    /// <summary>Decides which faults come when, who connects where, who leaves; the same seed makes the same schedule.</summary>
    public required int Seed { get; init; }

    /// <summary>How long faults are brought about; settling comes on top.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>The faults to choose from, by name; see <see cref="FaultKinds"/>.</summary>
    public IReadOnlyList<FaultKind> Faults { get; init; } = FaultKinds.All;

    /// <summary>Share of the faults that come in pairs, the second while the first lasts; 0 to 1.</summary>
    public double PairShare { get; init; } = 0.3;

    /// <summary>The build that some parts are of; null: all are of ours.</summary>
    public OtherBuild? Other { get; init; }

    /// <summary>As of which build a part comes back, when there are two.</summary>
    public ComesBack ComesBack { get; init; }

    /// <summary>How long a stopped process stays away or held, at most.</summary>
    public TimeSpan LongestAway { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>What is left in peace between two faults: lease, adoption and a little.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>Publishers; each has a stream per QoS and topic.</summary>
    public int Publishers { get; init; } = 4;

    /// <summary>Topics per publisher and QoS, enough that every group has some.</summary>
    public int Topics { get; init; } = 3;

    /// <summary>Pause between two messages of one stream.</summary>
    public TimeSpan PublishInterval { get; init; } = TimeSpan.FromMilliseconds(40);

    /// <summary>How long after the last fault everything acknowledged may take to arrive.</summary>
    public TimeSpan SettleDeadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a subscriber leaves and comes back at another proxy; zero for never.</summary>
    public TimeSpan RoamInterval { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often a device with a will appears, to leave in order or to be cut; zero for none.</summary>
    public TimeSpan WillInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether members of shared subscriptions take part: with foreign groups those are the broker's own, live.</summary>
    public bool HasShares { get; init; } = true;
}
