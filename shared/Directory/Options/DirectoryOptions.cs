namespace Trunkline.Directory;

/// <summary>Settings of the directory, section <c>Directory</c>.</summary>
public sealed record DirectoryOptions
{
    /// <summary>Redis servers as host:port; several name the members of one Cluster, or with SentinelMaster the sentinels. Empty: in memory.</summary>
    public IReadOnlyList<string> Endpoints { get; init; } = [];

    /// <summary>The name under which sentinels watch the master; then Endpoints name the sentinels. Empty: no sentinels.</summary>
    public string SentinelMaster { get; init; } = "";

    /// <summary>Without endpoints: a folder in which this process, alone, keeps sessions. Empty: in memory only; a proxy whose groups keep files takes the folder directory beside theirs.</summary>
    public string DataDirectory { get; init; } = "";

    /// <summary>What an answered change survives in that folder. Without it what Broker:Commit says of groups that keep files in this process, else os.</summary>
    public DirectoryCommit? Commit { get; init; }

    /// <summary>Milliseconds after a change at which that folder's file is synced with <c>Commit: os</c>: what a power cut may take of what was answered. Nobody waits for it. 0 leaves it to the system.</summary>
    public int SyncIntervalMs { get; init; } = 1_000;

    /// <summary>
    /// What Redis must keep through its own end, checked at start: memory (nothing), aof-everysec, aof-always, or replicas(n),
    /// where claims and writes of sessions are done only when n replicas have them.
    /// </summary>
    public string Durability { get; init; } = "memory";

    /// <summary>How long replicas(n) waits for the replicas' confirmation, ms; then the call counts as unavailable.</summary>
    public int ReplicaWaitMs { get; init; } = 500;

    /// <summary>What a CONNECT gets while the directory is away.</summary>
    public WhenAway WhenAway { get; init; } = WhenAway.Refuse;

    /// <summary>ACL user name. Not supported by the Redis client in use; present so that setting it is refused with a sentence.</summary>
    public string? User { get; init; }

    /// <summary>Password (requirepass), or null.</summary>
    public string? Password { get; init; }

    /// <summary>Whether connections use TLS.</summary>
    public bool Tls { get; init; }

    /// <summary>Host name that the server's certificate must carry; null: the endpoint's host.</summary>
    public string? TlsHost { get; init; }

    /// <summary>File with the authority's certificates (PEM) that are trusted instead of the system's, or null.</summary>
    public string? TlsCaFile { get; init; }

    /// <summary>First part of every key and channel; tiers that share a Redis need different ones. 1-32 of a-z, 0-9, '-', '_'.</summary>
    public string Prefix { get; init; } = "tl";

    /// <summary>Database number; 0 in a Cluster.</summary>
    public int Database { get; init; }

    /// <summary>Deadline of one connection attempt, ms.</summary>
    public int ConnectDeadlineMs { get; init; } = 2_000;

    /// <summary>Deadline of one operation, ms. A missed one recycles the connection.</summary>
    public int OperationDeadlineMs { get; init; } = 2_000;

    /// <summary>First pause before connecting again, ms; doubles up to <see cref="ReconnectMaxMs"/>, jittered by half.</summary>
    public int ReconnectMinMs { get; init; } = 100;

    /// <summary>Longest pause before connecting again, ms.</summary>
    public int ReconnectMaxMs { get; init; } = 3_000;

    /// <summary>How long a node's counter must stand still before the node counts as dead, ms.</summary>
    public int LeaseMs { get; init; } = 5_000;

    /// <summary>How often a node raises its counter and reads the others', ms.</summary>
    public int LeaseRaiseIntervalMs { get; init; } = 1_000;

    /// <summary>
    /// How long a new generation counts as recovering, ms: a CONNECT without Clean Start whose session stands nowhere waits
    /// for it until then.
    /// </summary>
    public int RecoveringGraceMs { get; init; } = 10_000;

    /// <summary>How long a claimant waits for the previous node to let go, ms.</summary>
    public int TakeOverDeadlineMs { get; init; } = 1_000;

    /// <summary>How often a node sends itself a message to see that its subscriptions are alive, ms.</summary>
    public int SubscriptionCheckIntervalMs { get; init; } = 5_000;

    /// <summary>Calls outstanding at a time; more are refused as busy.</summary>
    public int MaxOutstanding { get; init; } = 20_000;

    /// <summary>Take-over requests waiting for an answer at a time, sent and received each; more go unanswered.</summary>
    public int MaxTakeOvers { get; init; } = 20_000;

    /// <summary>Every error of these options, each with its path and fix; empty when they can be used.</summary>
    public IReadOnlyList<DirectoryOptionsError> Validate(string section = "Directory") => DirectoryOptionsCheck.Run(this, section);
}

/// <summary>One error in the options.</summary>
/// <param name="Path">Path of the option, such as <c>Directory:LeaseMs</c>.</param>
/// <param name="Problem">What is wrong, a sentence.</param>
/// <param name="Fix">What to do, a sentence.</param>
public sealed record DirectoryOptionsError(string Path, string Problem, string Fix)
{
    /// <summary>"path: problem fix".</summary>
    public override string ToString() => $"{Path}: {Problem} {Fix}";
}
