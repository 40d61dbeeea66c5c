using Trunkline.Directory;
using Trunkline.Links;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Interleavings;

/// <summary>What faults a history may have: each kind of rule shows in its own.</summary>
internal enum Faults
{
    /// <summary>Anything but what the others name.</summary>
    All,

    /// <summary>Groups whose log is in memory alone: a killed broker has forgotten everything. QoS 1 only; what was sent before is forgiven.</summary>
    ForgetfulGroups,

    /// <summary>The directory stands still for all at once, and nothing else fails: no node may be declared dead.</summary>
    DirectoryStands,

    /// <summary>
    /// The directory cannot be reached by anybody for a while, then by one node after the other, and nothing else fails: no node
    /// may be declared dead.
    /// </summary>
    DirectoryAway,

    /// <summary>The directory goes on at a server whose clock is behind, among other faults. No wills: one that was due is not, until that clock has come there again.</summary>
    DirectoryClock,

    /// <summary>Nodes lose their connection to the directory amid claims and writes, which come late; then they die.</summary>
    LateCalls,

    /// <summary>The directory loses everything while all sessions are held by living nodes, which write them back.</summary>
    EmptiedDirectory,

    /// <summary>The same, while a device has moved away from a node that is held: two nodes hold its session and write it back.</summary>
    EmptiedAmidMoves,

    /// <summary>A node is held until it is declared dead, and goes on before its sessions are taken from it.</summary>
    HeldSweeps,

    /// <summary>Devices are away while much is published, and come back to a log of many pages near their limits.</summary>
    Returns,

    /// <summary>Nodes die one after the other, and each session that goes on begins with the same packet identifier.</summary>
    IdsComeRound,

    /// <summary>Devices connect again and again, most often where they are, in small steps; then their nodes die.</summary>
    Reconnects,

    /// <summary>Nodes are asked to stop, one or several at a time, and nothing else fails: nobody's will may come by that.</summary>
    Drains,

    /// <summary>Subscribers are members of a shared subscription, on several nodes; anything fails that fails in <see cref="All"/>.</summary>
    Shares,

    /// <summary>The same, and brokers die while QoS 2 messages of the share are on their way to members, in small steps, with what was taken not yet durable.</summary>
    ShareTakes,

    /// <summary>Everything is published with RETAIN, and who subscribes comes later; brokers do not restart, for the model's log keeps no retained messages.</summary>
    Retained,

    /// <summary>Who subscribes comes amid the messages, and takes one filter after the other; anything fails that fails in <see cref="All"/>.</summary>
    LateFilters,

    /// <summary>
    /// Many topics have a retained message each when somebody subscribes to all of them, page by page and in small steps; before
    /// the last page its connection or its node goes, or it moves.
    /// </summary>
    RetainedPages,

    /// <summary>The same, with backlogs so short that most of what is published meanwhile is skipped.</summary>
    RetainedSkips,
}

/// <summary>One tier of the model, all of it decided by the seed.</summary>
internal sealed record Settings
{
    public required int Seed { get; init; }

    public Faults Faults { get; init; }

    public int Nodes { get; init; }

    public int Groups { get; init; }

    /// <summary>Whether publishers set RETAIN.</summary>
    public bool Retains => Faults is Faults.Retained || HasPages;

    /// <summary>Whether retained messages come by many pages.</summary>
    public bool HasPages => Faults is Faults.RetainedPages or Faults.RetainedSkips;

    /// <summary>Whether what a subscriber missed may be skipped by the limits of its backlog, or by retention.</summary>
    public bool Skips => Faults == Faults.RetainedSkips;

    /// <summary>So many messages a group's log keeps at least.</summary>
    public long LogMessages { get; init; } = 10_000_000;

    /// <summary>Whether a device subscribes one filter at first, and another when it is told.</summary>
    public bool FiltersComeLater => Faults == Faults.LateFilters;

    /// <summary>Whether who subscribes comes when others publish already.</summary>
    public bool SubscribersComeLater => Retains || FiltersComeLater;

    public bool GroupsKeep => Faults != Faults.ForgetfulGroups;

    public int CheckpointIntervalMs { get; init; }

    public required MqttOptions Mqtt { get; init; }

    public required LinkOptions Links { get; init; }

    /// <summary>Payloads are filled up to this: a page of 1,024 bytes holds some fifteen messages as they are, and three of 300 bytes.</summary>
    public int PayloadBytes { get; init; }

    public DirectoryOptions Directory { get; } = new()
    {
        LeaseMs = 2_000,
        LeaseRaiseIntervalMs = 400,
        TakeOverDeadlineMs = 300,
        RecoveringGraceMs = 500,
        OperationDeadlineMs = 500,
    };

    /// <summary>Devices that subscribe, each with the QoS of its filters.</summary>
    public required IReadOnlyList<QoS> Subscribers { get; init; }

    /// <summary>Of the subscribers, the first ones are members of a shared subscription.</summary>
    public int Members { get; init; }

    /// <summary>What members subscribe, with the share's name.</summary>
    public IReadOnlyList<string> ShareFilters { get; init; } = [];

    /// <summary>Whether a QoS 2 message of the share comes to one member, once: not where one of them has it at QoS 1.</summary>
    public bool IsShareExact => Subscribers.Take(Members).All(qos => qos == QoS.ExactlyOnce);

    /// <summary>For how long a broker gathers what its log has to know of shares.</summary>
    public int ShareRecordMs { get; init; } = 100;

    public int Publishers { get; init; }

    /// <summary>Of the publishers, the first ones have a will.</summary>
    public int Wills { get; init; }

    /// <summary>Of the publishers, the last ones have sessions that end with their connections.</summary>
    public int CleanPublishers { get; init; }

    public IReadOnlyList<string> Topics => HasPages ? ManyTopics : TwoTopics;

    private static readonly string[] TwoTopics = ["a", "b"];
    private static readonly string[] ManyTopics = ["a", "b", "c", "d", "e", "f"];

    /// <summary>What a subscriber subscribes.</summary>
    public IReadOnlyList<string> Filters => HasPages ? ["+"] : [.. Topics, WillTopic];

    /// <summary>The topics that a filter of a device or a share matches.</summary>
    public IReadOnlyList<string> Matching(string filter) => filter[(filter.LastIndexOf('/') + 1)..] is var last && last == "+" ? Topics : [last];

    public const string WillTopic = "will";

    /// <summary>
    /// So many messages are published in a history at most, wills not counted. Where publishers repeat nothing, a backlog's
    /// limit a little above it drops nothing, and is near enough for a broker to be asked for a count amid a page.
    /// </summary>
    public int MostMessages => Faults is Faults.Returns or Faults.RetainedSkips ? 60 : 30;

    /// <summary>A tier whose options do not depend on a seed, for a history that is written down.</summary>
    public static Settings Plain(int nodes, int groups, IReadOnlyList<QoS> subscribers, int publishers, int wills = 0) => new()
    {
        Seed = 0,
        Nodes = nodes,
        Groups = groups,
        CheckpointIntervalMs = 100,
        Mqtt = new MqttOptions { ReceiveMaximum = 100, MaximumInFlight = 8, LiveQueueMessages = 4, MaximumRecordedOutgoing = 16 },
        Links = new LinkOptions { Seed = 1, BackoffFirstMs = 50, BackoffMaximumMs = 300, GroupAwayTimeoutMs = 600_000, LingerMs = 100 },
        Subscribers = subscribers,
        Publishers = publishers,
        Wills = wills,
    };

    /// <summary>The tier of a seed, with payloads and limits of backlogs of its own; by other dice, so that histories found before stay what they are.</summary>
    public static Settings Of(int seed, Faults faults)
    {
        Settings settings = WithoutLimits(seed, faults);
        var random = new Random((seed * 31) + 7);
        settings = settings with
        {
            Mqtt = settings.Mqtt with { BacklogMessages = faults == Faults.Returns && random.Next(2) == 0 ? settings.MostMessages + 6 : 10_000 },
            PayloadBytes = random.Next(3) == 0 ? 300 : 0,
        };
        if (faults == Faults.IdsComeRound)
        {
            // What is done is taken out of the record at once where it may be, and seldom may be.
            settings = settings with { CheckpointIntervalMs = 1_000, Mqtt = settings.Mqtt with { MaximumRecordedOutgoing = 3 } };
        }
        else if (faults == Faults.Retained)
        {
            settings = settings with { Wills = 0, Links = settings.Links with { RetainedPageBytes = 256 } };
        }
        else if (settings.HasPages)
        {
            // One or two retained messages a page.
            settings = settings with { Wills = 0, PayloadBytes = random.Next(2) == 0 ? 150 : 300, Links = settings.Links with { RetainedPageBytes = 256 } };
        }

        if (settings.Skips)
        {
            settings = settings with
            {
                Mqtt = settings.Mqtt with
                {
                    // Not below what pages of two groups bring at once, which wait in the session's queue.
                    BacklogMessages = 4 + random.Next(3),
                    BacklogAgeSeconds = random.Next(4) == 0 ? 1 : 0,
                    BacklogPolicy = (BacklogPolicy)random.Next(3),
                },
            };
        }

        return faults is Faults.Shares or Faults.ShareTakes ? WithShare(settings, new Random((seed * 31) + 11)) : settings;
    }

    /// <summary>Two or three members, in some histories a subscriber of its own beside them; one share over all groups, or one for each topic.</summary>
    private static Settings WithShare(Settings settings, Random random)
    {
        int members = 2 + random.Next(2);
        bool isExact = random.Next(4) > 0;
        return settings with
        {
            Members = members,
            ShareFilters = random.Next(2) == 0 ? ["$share/g/+"] : [.. settings.Topics.Select(topic => $"$share/g/{topic}")],
            Subscribers =
            [
                .. Enumerable.Range(0, members).Select(_ => isExact || random.Next(2) == 0 ? QoS.ExactlyOnce : QoS.AtLeastOnce),
                .. Enumerable.Repeat(QoS.ExactlyOnce, random.Next(4) == 0 ? 1 : 0),
            ],
            Wills = 0,
            ShareRecordMs = random.Next(3) switch { 0 => 10, 1 => 100, _ => 500 },
            Mqtt = settings.Mqtt with
            {
                SharedInFlight = 1 + random.Next(4),
                SharedStrategy = (SharedStrategy)random.Next(Enum.GetValues<SharedStrategy>().Length),
            },
        };
    }

    /// <summary>As seeds were read before payloads and limits varied: what <see cref="FoundTests"/> holds was found so.</summary>
    public static Settings WithoutLimits(int seed, Faults faults)
    {
        var random = new Random(seed * 31);
        return new Settings
        {
            Seed = seed,
            Faults = faults,
            Nodes = 2 + random.Next(2),
            Groups = 1 + random.Next(2),
            CheckpointIntervalMs = random.Next(2) == 0 ? 100 : 300,
            Mqtt = new MqttOptions
            {
                ReceiveMaximum = 100,
                MaximumInFlight = 1 + random.Next(8),
                LiveQueueMessages = 1 + random.Next(6),
                MaximumRecordedOutgoing = 16,
            },
            Links = new LinkOptions
            {
                Seed = 1 + seed,
                BackoffFirstMs = 50,
                BackoffMaximumMs = 300,
                GroupAwayTimeoutMs = 600_000,
                SubscribeTimeoutMs = 600_000,
                LingerMs = 100,
                BacklogPageBytes = 1024,
                BacklogRetryMs = 100,
                BacklogDeliveriesPerTurn = 1 + random.Next(20),
                LogIntervalMs = 3_600_000,
            },
            Subscribers = [.. Enumerable.Range(0, 1 + random.Next(2)).Select(_ => random.Next(4) == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce)],
            Publishers = 1 + random.Next(2),
            Wills = faults == Faults.Drains ? 2 : faults is not (Faults.ForgetfulGroups or Faults.EmptiedDirectory or Faults.EmptiedAmidMoves or Faults.DirectoryClock) && random.Next(3) == 0 ? 1 : 0,
            CleanPublishers = random.Next(3) == 0 ? 1 : 0,
        };
    }
}
