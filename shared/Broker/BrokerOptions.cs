namespace Trunkline.Broker;

/// <summary>The limits of one group's broker; each has a policy, named here, and a counter.</summary>
public sealed record BrokerOptions
{
    /// <summary>Where the log and the retained messages stand: <c>memory</c> forgets them when the process ends, <c>file</c> does not. Without it <c>file</c> when <c>DataDirectory</c> is set, else <c>memory</c>.</summary>
    public LogStore? Store { get; init; }

    /// <summary>What a message must survive before it is acknowledged, with <c>file</c>: <c>os</c> the end of this process (it is written to the file), <c>always</c> a power cut (it is on the disk).</summary>
    public LogCommit Commit { get; init; }

    /// <summary>Folder that holds one folder a group, with <c>file</c>.</summary>
    public string DataDirectory { get; init; } = "";

    /// <summary>What to do with a damaged file at start: <c>refuse</c> to start, or <c>set-aside</c>: rename it and go on without its messages.</summary>
    public DamagedSegments DamagedSegments { get; init; }

    /// <summary>First topic levels that name who a message's space is accounted to; at a limit of the log who has more than its share loses first. 0 accounts nobody: the oldest goes first.</summary>
    public int TenantLevels { get; init; } = 1;

    /// <summary>Of those, as many are accounted each alone; further ones share one account.</summary>
    public int TenantsMaximum { get; init; } = 1_000;

    /// <summary>Milliseconds of history that who has more than its share is held to: while it loses younger messages, the acknowledgements of its QoS 1 and 2 publishes come later by <c>SlowedMs</c>. 0 holds nobody.</summary>
    public long RetentionFloorMs { get; init; }

    /// <summary>Milliseconds by which those acknowledgements come later.</summary>
    public int SlowedMs { get; init; } = 100;

    /// <summary>Segments the log has at most, with <c>file</c>; at it the oldest goes whole, whoever's it is.</summary>
    public int SegmentsMaximum { get; init; } = 512;

    /// <summary>Messages the log keeps; beyond it the oldest is dropped.</summary>
    public long LogMaximumMessages { get; init; } = 10_000_000;

    /// <summary>Bytes the log keeps, 48 of header a message included; beyond it the oldest message is dropped, with <c>file</c> the oldest segment.</summary>
    public long LogMaximumBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>Milliseconds the log keeps a message; older ones are dropped, with <c>file</c> by segments, and only while the broker runs.</summary>
    public long LogMaximumAgeMs { get; init; } = 86_400_000;

    /// <summary>Bytes the log takes from the system at a time.</summary>
    public int LogBlockBytes { get; init; } = 256 * 1024;

    /// <summary>Bytes of one segment, with <c>file</c>: a file of the log, which goes as a whole.</summary>
    public int LogSegmentBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Bytes of the log held in memory for reading, with <c>file</c>; the piece not used longest goes first.</summary>
    public int LogCacheBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Bytes that may wait to be written; above it publishers of QoS 1 and 2 are not read from until half of it is written.</summary>
    public long LogUncommittedMaximumBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Milliseconds between syncs of the log's file with <c>Commit: os</c>, earlier when an eighth of a segment has gathered: what a power cut may take of what was acknowledged. Nobody waits for them. 0 leaves it to the system.</summary>
    public int SyncIntervalMs { get; init; } = 1_000;

    /// <summary>A write that takes this many milliseconds is slow: for ten seconds others wait for the disk in the loop's place.</summary>
    public int LogSlowWriteMs { get; init; } = 10;

    /// <summary>Milliseconds until a failed write is tried again, and a segment that could not be written anew for room; that is tried ever more rarely, once a minute at last.</summary>
    public int LogRetryMs { get; init; } = 500;

    /// <summary>Milliseconds for which a piece of the log that the disk does not give back is read again, ever more rarely from <c>LogRetryMs</c> on, while who reads there waits; then its messages are passed over, and whoever reads there later has it read again, once a minute at most.</summary>
    public int LogReadWaitMs { get; init; } = 30_000;

    /// <summary>Ids remembered of messages that came by another way than their own link; beyond it the oldest is forgotten.</summary>
    public int MessageIdsMaximum { get; init; } = 1_000_000;

    /// <summary>Retained messages; a further topic is refused: PUBACK or PUBREC 0x97, at QoS 0 it is not retained.</summary>
    public int RetainedMaximumMessages { get; init; } = 1_000_000;

    /// <summary>Bytes of retained messages, topics included; beyond it refused as above.</summary>
    public long RetainedMaximumBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>Milliseconds between two tails on a receive link; nodes count on one a second.</summary>
    public int TailIntervalMs { get; init; } = 500;

    /// <summary>Bytes of a reply's page when the request names none.</summary>
    public int PageBytes { get; init; } = 64 * 1024;

    /// <summary>Most bytes of a page whatever the request names; one message may stand above it.</summary>
    public int MaximumPageBytes { get; init; } = 1024 * 1024;

    /// <summary>Log records looked at in one step, for a lagging link or a log request, before others have their turn.</summary>
    public int ReadAheadRecords { get; init; } = 2_000;

    /// <summary>Filters one request may name, no less than proxies ask by (`Links:BacklogFilters`); with more it is answered with an error.</summary>
    public int RequestFiltersMaximum { get; init; } = 1_000;

    /// <summary>Positions one request may name, no less than proxies ask by (`Links:FetchMessages`); with more it is answered with an error.</summary>
    public int RequestPositionsMaximum { get; init; } = 1_000;

    /// <summary>Counts of the log (how many matching messages a backlog has) under way; a further one is answered with an error.</summary>
    public int CountsMaximum { get; init; } = 256;

    /// <summary>
    /// Requests for the log, counts included, that wait for a part of it to come from disk; a further page is answered empty,
    /// and the node asks again a little later.
    /// </summary>
    public int RequestsWaitingMaximum { get; init; } = 1_000;

    /// <summary>Shared subscriptions (share name and filter); a further one is refused: SUBACK 0x97.</summary>
    public int SharesMaximum { get; init; } = 4_000;

    /// <summary>Members of one shared subscription; a further one is refused: SUBACK 0x97.</summary>
    public int ShareMembersMaximum { get; init; } = 1_000;

    /// <summary>Messages of one shared subscription handed out and not done; beyond it the rest waits in the log.</summary>
    public int ShareHandedOutMaximum { get; init; } = 10_000;

    /// <summary>Messages of one shared subscription with one node, whatever it says it takes; beyond it other nodes get them, or they wait.</summary>
    public int ShareNodeMaximum { get; init; } = 5_000;

    /// <summary>QoS 2 messages of one shared subscription that belong to a session and are not done; beyond it the rest waits in the log.</summary>
    public int ShareTakesMaximum { get; init; } = 100_000;

    /// <summary>Milliseconds for which changes of shares are gathered for the log; what a lost record told is handed out again.</summary>
    public int ShareRecordMs { get; init; } = 100;

    /// <summary>Seconds a shared subscription of sessions that may be away waits without any member; then it is over.</summary>
    public int ShareKeptSeconds { get; init; } = 86_400;

    /// <summary>Milliseconds a node may be away before what it has of shares goes to other members.</summary>
    public int NodeGoneMs { get; init; } = 10_000;

    /// <summary>Publish links whose numbers are remembered; beyond it the one gone longest is forgotten.</summary>
    public int ProducersMaximum { get; init; } = 10_000;

    /// <summary>Milliseconds the numbers of a publish link that is gone are remembered.</summary>
    public long ProducerMemoryMs { get; init; } = 3_600_000;

    /// <summary>Milliseconds between two publications of <c>$SYS/broker</c>; 0 for none.</summary>
    public int SystemIntervalMs { get; init; } = 10_000;

    /// <summary>Whether the log and the retained messages stand in files.</summary>
    public bool UsesFiles() => Store == LogStore.File || (Store is null && DataDirectory.Length > 0);

    /// <summary>Every error in these options: path, what is wrong and how to mend it.</summary>
    public IEnumerable<string> Validate(string path)
    {
        (string Name, long Value, long Minimum, long Maximum)[] ranges =
        [
            (nameof(TenantLevels), TenantLevels, 0, 8),
            (nameof(TenantsMaximum), TenantsMaximum, 1, 100_000),
            (nameof(RetentionFloorMs), RetentionFloorMs, 0, 30L * 86_400_000),
            (nameof(SlowedMs), SlowedMs, 1, 10_000),
            (nameof(SegmentsMaximum), SegmentsMaximum, 4, 10_000),
            (nameof(LogMaximumMessages), LogMaximumMessages, 1, long.MaxValue / 2),
            (nameof(LogMaximumBytes), LogMaximumBytes, 64 * 1024, long.MaxValue / 2),
            (nameof(LogMaximumAgeMs), LogMaximumAgeMs, 1000, 3650L * 86_400_000),
            (nameof(LogBlockBytes), LogBlockBytes, 4096, 64 * 1024 * 1024),
            (nameof(LogSegmentBytes), LogSegmentBytes, 16 * 1024, 1024 * 1024 * 1024),
            (nameof(LogCacheBytes), LogCacheBytes, 4096, int.MaxValue),
            (nameof(LogUncommittedMaximumBytes), LogUncommittedMaximumBytes, 64 * 1024, long.MaxValue / 2),
            (nameof(SyncIntervalMs), SyncIntervalMs, 0, 3_600_000),
            (nameof(LogSlowWriteMs), LogSlowWriteMs, 1, 60_000),
            (nameof(LogRetryMs), LogRetryMs, 64, 60_000),
            (nameof(LogReadWaitMs), LogReadWaitMs, 0, 3_600_000),
            (nameof(MessageIdsMaximum), MessageIdsMaximum, 0, 100_000_000),
            (nameof(RetainedMaximumMessages), RetainedMaximumMessages, 0, 100_000_000),
            (nameof(RetainedMaximumBytes), RetainedMaximumBytes, 0, long.MaxValue / 2),
            (nameof(TailIntervalMs), TailIntervalMs, 64, 1000),
            (nameof(PageBytes), PageBytes, 1024, 16 * 1024 * 1024),
            (nameof(MaximumPageBytes), MaximumPageBytes, 1024, 64 * 1024 * 1024),
            (nameof(ReadAheadRecords), ReadAheadRecords, 1, 1_000_000),
            (nameof(RequestFiltersMaximum), RequestFiltersMaximum, 1_000, 100_000),
            (nameof(RequestPositionsMaximum), RequestPositionsMaximum, 1_000, 100_000),
            (nameof(CountsMaximum), CountsMaximum, 1, 100_000),
            (nameof(RequestsWaitingMaximum), RequestsWaitingMaximum, 0, 100_000),
            (nameof(SharesMaximum), SharesMaximum, 0, 1_000_000),
            (nameof(ShareMembersMaximum), ShareMembersMaximum, 1, 100_000),
            (nameof(ShareHandedOutMaximum), ShareHandedOutMaximum, 1, 1_000_000),
            (nameof(ShareNodeMaximum), ShareNodeMaximum, 1, 1_000_000),
            (nameof(ShareTakesMaximum), ShareTakesMaximum, 1, 10_000_000),
            (nameof(ShareRecordMs), ShareRecordMs, 1, 60_000),
            (nameof(ShareKeptSeconds), ShareKeptSeconds, 1, 315_360_000),
            (nameof(NodeGoneMs), NodeGoneMs, 100, 86_400_000),
            (nameof(ProducersMaximum), ProducersMaximum, 1, 10_000_000),
            (nameof(ProducerMemoryMs), ProducerMemoryMs, 1000, 30L * 86_400_000),
            (nameof(SystemIntervalMs), SystemIntervalMs, 0, 3_600_000),
        ];
        foreach (var (name, value, minimum, maximum) in ranges)
        {
            if (value < minimum || value > maximum)
            {
                yield return $"{path}:{name} is {value}; set it between {minimum} and {maximum}.";
            }
        }

        if (Store == LogStore.File && DataDirectory.Length == 0)
        {
            yield return $"{path}:{nameof(DataDirectory)} is empty; name the folder that {path}:{nameof(Store)} file keeps its files in.";
        }

        if (PageBytes > MaximumPageBytes)
        {
            yield return $"{path}:{nameof(PageBytes)} is {PageBytes}, above {nameof(MaximumPageBytes)} ({MaximumPageBytes}); set it at most there.";
        }
    }
}

/// <summary>Where a group's log stands.</summary>
public enum LogStore
{
    /// <summary>In memory: forgotten when the process ends.</summary>
    Memory,

    /// <summary>In files.</summary>
    File,
}

/// <summary>What a message must have survived before it is acknowledged.</summary>
public enum LogCommit
{
    /// <summary>The end of this process: it is written to the file.</summary>
    Os,

    /// <summary>A power cut: it is on the disk.</summary>
    Always,
}

/// <summary>What becomes of a damaged file at start.</summary>
public enum DamagedSegments
{
    /// <summary>The broker does not start.</summary>
    Refuse,

    /// <summary>It is renamed, and its messages are lost to the log.</summary>
    SetAside,
}
