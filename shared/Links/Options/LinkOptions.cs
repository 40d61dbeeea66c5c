namespace Trunkline.Links;

/// <summary>How links behave; every limit has a policy, named here, and a counter in <see cref="LinkCounter"/>.</summary>
public sealed record LinkOptions
{
    /// <summary>Keep alive of every link in seconds; a peer that answers nothing for one and a half of it counts as half-open.</summary>
    public int KeepAliveSeconds { get; init; } = 5;

    /// <summary>Time for dialling and CONNACK together.</summary>
    public int ConnectTimeoutMs { get; init; } = 5_000;

    /// <summary>First wait before a link dials again; doubles with each failure; half of each wait is jitter.</summary>
    public int BackoffFirstMs { get; init; } = 100;

    /// <summary>Longest wait before a link dials again.</summary>
    public int BackoffMaximumMs { get; init; } = 5_000;

    /// <summary>A QoS 1 or 2 message that was never written to a connection and waits longer is refused with 0x97.</summary>
    public int GroupAwayTimeoutMs { get; init; } = 10_000;

    /// <summary>SUBSCRIBE waits this long for groups that are away; then the item fails with 0x80 and is undone.</summary>
    public int SubscribeTimeoutMs { get; init; } = 10_000;

    /// <summary>Wait between the last local unsubscribe of a filter and the upstream one.</summary>
    public int LingerMs { get; init; } = 500;

    /// <summary>Messages one publish link keeps until they are acknowledged; beyond it new ones are refused with 0x97.</summary>
    public int MaximumPendingMessages { get; init; } = 100_000;

    /// <summary>Bytes one publish link keeps until they are acknowledged; beyond it new messages are refused with 0x97.</summary>
    public int MaximumPendingBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Kept messages of a connected link above which publishers pause.</summary>
    public int HighWaterMessages { get; init; } = 20_000;

    /// <summary>Kept or unsent bytes of a connected link above which publishers pause.</summary>
    public int HighWaterBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Unsent bytes of a link above which QoS 0 messages are dropped and counted.</summary>
    public int DropQoS0Bytes { get; init; } = 12 * 1024 * 1024;

    /// <summary>Publishers of one publish link that may be paused at a time; a further one goes on, and its messages fill the link.</summary>
    public int MaximumPausedSessions { get; init; } = 100_000;

    /// <summary>SUBSCRIBE packets under way on one receive link.</summary>
    public int SubscribeWindow { get; init; } = 1_000;

    /// <summary>Requests (retained messages) under way on one receive link.</summary>
    public int RequestWindow { get; init; } = 256;

    /// <summary>Retained messages asked for at a time, in bytes.</summary>
    public int RetainedPageBytes { get; init; } = 32 * 1024;

    /// <summary>
    /// Bytes of retained messages of one foreign group that sessions have not taken yet, counted for each session; beyond it
    /// the replay connection is not read until half of them are taken.
    /// </summary>
    public int ReplayHeldBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>How long a session may take nothing of its retained messages while others wait because of that; then its connection is closed.</summary>
    public int ReplayStallMs { get; init; } = 10_000;

    /// <summary>Topics remembered per subscription that got live messages before its retained ones; beyond it an older value may follow a newer.</summary>
    public int MaximumGuardedTopics { get; init; } = 10_000;

    /// <summary>
    /// Pages of a group's log under way at a time, for each loop and group; sessions that want others wait their turn. While
    /// they wait more of them come to share the next one.
    /// </summary>
    public int BacklogScans { get; init; } = 1;

    /// <summary>
    /// Bytes of one such page; it ends with the message that reaches them. With <see cref="BacklogScans"/> this bounds what
    /// pages of one loop and group take in memory.
    /// </summary>
    public int BacklogPageBytes { get; init; } = 64 * 1024;

    /// <summary>Counts of backlogs near a limit under way at a time, for each loop and group; further ones wait.</summary>
    public int BacklogCounts { get; init; } = 4;

    /// <summary>Sessions that share one page.</summary>
    public int BacklogSessionsPerScan { get; init; } = 1_000;

    /// <summary>Filters one page is asked for by; a session with more reads everything and picks.</summary>
    public int BacklogFilters { get; init; } = 1_000;

    /// <summary>Messages of the log a page may begin before or after the place of a session that shares it.</summary>
    public int BacklogNearMessages { get; init; } = 20_000;

    /// <summary>
    /// Messages of pages and their deliveries, counted together, in one turn of a loop for each group; the rest follows when
    /// others have had their turn. A delivery to another device than the last is a write of its own, some 10 us.
    /// </summary>
    public int BacklogDeliveriesPerTurn { get; init; } = 50;

    /// <summary>Wait before a page is asked for again that the broker could not serve.</summary>
    public int BacklogRetryMs { get; init; } = 250;

    /// <summary>Messages in flight of a session that came back that are asked of a group's log at a time, by their positions.</summary>
    public int FetchMessages { get; init; } = 100;

    /// <summary>Messages on their way to one other loop; beyond it the receive link stops reading until half of them are delivered.</summary>
    public int HandOverMessages { get; init; } = 65_536;

    /// <summary>Messages in one append to a foreign group's log.</summary>
    public int LogAppendMessages { get; init; } = 1_000;

    /// <summary>Bytes with which one append to a foreign group's log ends.</summary>
    public int LogAppendBytes { get; init; } = 256 * 1024;

    /// <summary>Appends of one publish link to a foreign group's log under way at a time; what comes meanwhile goes in the next.</summary>
    public int LogAppendsUnderWay { get; init; } = 4;

    /// <summary>Longest wait before a foreign group's log is tried again; the first is 50 ms.</summary>
    public int LogRetryMaximumMs { get; init; } = 1_000;

    /// <summary>Largest packet a link takes from a broker, in bytes.</summary>
    public int MaximumPacketBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>How long a stopping node waits for outstanding acknowledgements.</summary>
    public int FlushTimeoutMs { get; init; } = 5_000;

    /// <summary>How long starting waits for groups before it goes on without them; the links go on trying.</summary>
    public int StartTimeoutMs { get; init; } = 10_000;

    /// <summary>Time for each step of the probe of a foreign broker.</summary>
    public int ProbeTimeoutMs { get; init; } = 10_000;

    /// <summary>Interval at which subscribers of $SYS get new values.</summary>
    public int SysIntervalSeconds { get; init; } = 10;

    /// <summary>Shortest time between two log lines of one link; what is held back is counted in the next line.</summary>
    public int LogIntervalMs { get; init; } = 10_000;

    /// <summary>Seed of the jitter; 0 takes the node's id.</summary>
    public int Seed { get; init; }

    /// <summary>Every error in these options: path, what is wrong and how to mend it.</summary>
    public IEnumerable<string> Validate(string path)
    {
        (string Name, long Value, long Minimum, long Maximum)[] ranges =
        [
            (nameof(KeepAliveSeconds), KeepAliveSeconds, 1, 3600),
            (nameof(ConnectTimeoutMs), ConnectTimeoutMs, 100, 300_000),
            (nameof(BackoffFirstMs), BackoffFirstMs, 1, 60_000),
            (nameof(BackoffMaximumMs), BackoffMaximumMs, BackoffFirstMs, 300_000),
            (nameof(GroupAwayTimeoutMs), GroupAwayTimeoutMs, 100, 600_000),
            (nameof(SubscribeTimeoutMs), SubscribeTimeoutMs, 100, 600_000),
            (nameof(LingerMs), LingerMs, 0, 60_000),
            (nameof(MaximumPendingMessages), MaximumPendingMessages, 1, 10_000_000),
            (nameof(MaximumPendingBytes), MaximumPendingBytes, 1024, int.MaxValue),
            (nameof(HighWaterMessages), HighWaterMessages, 1, MaximumPendingMessages),
            (nameof(HighWaterBytes), HighWaterBytes, 1024, MaximumPendingBytes),
            (nameof(DropQoS0Bytes), DropQoS0Bytes, 1024, 15 * 1024 * 1024),
            (nameof(MaximumPausedSessions), MaximumPausedSessions, 1, 10_000_000),
            (nameof(SubscribeWindow), SubscribeWindow, 1, 30_000),
            (nameof(RequestWindow), RequestWindow, 1, 30_000),
            (nameof(RetainedPageBytes), RetainedPageBytes, 256, 16 * 1024 * 1024),
            (nameof(ReplayHeldBytes), ReplayHeldBytes, 64 * 1024, int.MaxValue),
            (nameof(ReplayStallMs), ReplayStallMs, 100, 600_000),
            (nameof(MaximumGuardedTopics), MaximumGuardedTopics, 1, 10_000_000),
            (nameof(BacklogScans), BacklogScans, 1, 1_000),
            (nameof(BacklogPageBytes), BacklogPageBytes, 1024, 1024 * 1024),
            (nameof(BacklogCounts), BacklogCounts, 1, 1_000),
            (nameof(BacklogSessionsPerScan), BacklogSessionsPerScan, 1, 1_000_000),
            (nameof(BacklogFilters), BacklogFilters, 1, 1_000),
            (nameof(BacklogNearMessages), BacklogNearMessages, 0, 1_000_000_000),
            (nameof(BacklogDeliveriesPerTurn), BacklogDeliveriesPerTurn, 1, 1_000_000),
            (nameof(BacklogRetryMs), BacklogRetryMs, 1, 60_000),
            (nameof(FetchMessages), FetchMessages, 1, 1_000),
            (nameof(HandOverMessages), HandOverMessages, 64, 10_000_000),
            (nameof(LogAppendMessages), LogAppendMessages, 1, 100_000),
            (nameof(LogAppendBytes), LogAppendBytes, 1024, 64 * 1024 * 1024),
            (nameof(LogAppendsUnderWay), LogAppendsUnderWay, 1, 1_000),
            (nameof(LogRetryMaximumMs), LogRetryMaximumMs, 50, 60_000),
            (nameof(MaximumPacketBytes), MaximumPacketBytes, 64 * 1024, 268_435_460),
            (nameof(FlushTimeoutMs), FlushTimeoutMs, 0, 300_000),
            (nameof(StartTimeoutMs), StartTimeoutMs, 0, 300_000),
            (nameof(ProbeTimeoutMs), ProbeTimeoutMs, 100, 300_000),
            (nameof(SysIntervalSeconds), SysIntervalSeconds, 1, 86_400),
            (nameof(LogIntervalMs), LogIntervalMs, 0, 3_600_000),
        ];
        foreach (var (name, value, minimum, maximum) in ranges)
        {
            if (value < minimum || value > maximum)
            {
                yield return $"{path}:{name} is {value}; set it between {minimum} and {maximum}.";
            }
        }
    }
}
