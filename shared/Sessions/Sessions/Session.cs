namespace Trunkline.Sessions;

/// <summary>
/// The MQTT session of one client identifier: subscriptions, what is in flight both ways, what waits. It outlives its
/// connections as long as its expiry says [MQTT-4.1.0-1]. Touched by its loop only; knows no sockets, no directory and
/// no clock but its loop's.
/// </summary>
/// <remarks>
/// <code>
///   Deliver ──► waiting QoS 1/2 ──► window (packet ids) ──► channel ──► device
///         └───► waiting QoS 0  ────────────────────────────►┘
/// </code>
/// The two queues exist only while something waits. Files: Session.Deliver (outgoing), Session.Acknowledge (what the
/// device answers), Session.Receive (incoming QoS 2), Session.Subscribe, Session.Attach (connections come and go),
/// Session.Backlog (reading the log), Session.Shared (messages of shares), Session.Journal, Session.Outgoing and Session.Incoming (writing ahead), Session.Export
/// and Session.Restore (moving between nodes).
/// </remarks>
public sealed partial class Session : IPublishOwner
{
    private readonly SessionContext _context;
    private SubscriptionSet _subscriptions;
    private OutboundWindow? _window;
    private PendingQueue? _waiting;
    private PendingQueue? _waitingQoS0;
    private int _noLocalCount;
    private ushort _lastPacketId;

    internal Session(SessionContext context, string clientId)
    {
        _context = context;
        ClientId = clientId;
    }

    /// <summary>The client identifier.</summary>
    public string ClientId { get; }

    /// <summary>Identifies the session as a publisher, for No Local: a hash of the client identifier, never 0. Computed anew each time: few ask.</summary>
    public ulong Origin => SessionRegistry.OriginOf(ClientId);

    /// <summary>The connection that has the session now, or null.</summary>
    public Channel? Channel { get; private set; }

    /// <summary>Counts the connections the session has had, so that answers reach only the one that asked.</summary>
    public int Attachment { get; private set; }

    /// <summary>Seconds the session is kept without a connection; 0 ends it with the connection, <see cref="uint.MaxValue"/> never.</summary>
    public uint ExpirySeconds { get; internal set; }

    /// <summary>Whether the session is over: nothing is delivered or taken any more.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Free for the router: what it keeps per session.</summary>
    public object? RouterState { get; set; }

    /// <summary>Free for the host that claimed the client identifier: the token of the claim.</summary>
    public object? Claim { get; set; }

    /// <summary>The loop's shared services.</summary>
    public SessionContext Context => _context;

    /// <summary>How many filters the session holds.</summary>
    public int SubscriptionCount => _subscriptions.Count;

    /// <summary>QoS 1 and 2 messages sent and not yet acknowledged.</summary>
    public int InFlight => _window?.InFlight ?? 0;

    /// <summary>Messages waiting to be sent.</summary>
    public int Waiting => (_waiting?.Count ?? 0) + (_waitingQoS0?.Count ?? 0);

    /// <summary>The value a publish of this session carries as its origin: 0 unless one of its subscriptions has No Local, or a share is dealt out by publisher.</summary>
    internal ulong OriginIfNeeded => _noLocalCount > 0 || _context.Strategies.NeedsPublisher ? Origin : 0;

    /// <summary>Scratch of <see cref="FanOut"/>: the run in which this session was last seen, and its slot there.</summary>
    internal int FanOutRun { get; set; }

    internal int FanOutSlot { get; set; }

    /// <summary>The session's subscription of a filter, or null.</summary>
    public SessionSubscription? FindSubscription(Topics.TopicFilterText filter) =>
        _subscriptions.TryGet(filter, out SessionSubscription? subscription) ? subscription : null;

    /// <summary>The session's filters now; a copy.</summary>
    public IReadOnlyList<SessionSubscription> Subscriptions => _subscriptions.ToArray();
}
