using Microsoft.Extensions.Logging;
using Trunkline.Directory;
using Trunkline.Hosting.Devices;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>
/// Lets devices in: claims the client identifier in the directory, has the node that holds it let go first, brings the
/// stored session here, then opens the channel. One instance a loop; every method on it.
/// </summary>
/// <remarks>
/// Of one identifier only one attempt is under way; a later CONNECT waits for it, and of those that wait only the newest
/// is kept. So claims of one node come in the order of its CONNECTs, however the directory's answers are delayed.
/// <code>
///   Ask ──► nobody holds it: claimed with its record in one step ───────────────────────────────► Open
///    │      another node holds it: asked to let go ──► it wrote the session: claim again ────────► Open
///    │                                         └─────► no answer: claim it from that holder, by its checkpoint ──► Open
///    └─ the identifier is under way: the older is refused, the newer waits ──────► Finish ──► the newer begins
/// </code>
/// Files: ConnectionGate (asking, what is held), ConnectionGate.Claim, ConnectionGate.Open, ConnectionGate.LetGo,
/// ConnectionGate.Away (the directory does not answer, or has forgotten).
/// </remarks>
internal sealed partial class ConnectionGate : IConnectGate
{
    private const string TakenText = "Another connection took the client identifier meanwhile.";
    private const string NewerText =
        "The stored session was written by a newer version of Trunkline and is left alone: connect to a proxy of that version, upgrade this one, or connect once with Clean Start to give the session up.";
    private readonly SessionContext _context;
    private readonly IDirectory _directory;
    private readonly AttachNumbers _numbers;
    private readonly ConnectAdmission _admission;
    private readonly ILogger _logger;
    private readonly ConnectionLog _log;
    private readonly Dictionary<string, ConnectAttempt> _attempts = new(StringComparer.Ordinal);
    private readonly long[] _closes = new long[Enum.GetValues<CloseCause>().Length];

    public ConnectionGate(
        SessionContext context,
        IDirectory directory,
        AttachNumbers numbers,
        ConnectAdmission admission,
        ILogger logger,
        LineBudgets lines)
    {
        _context = context;
        _directory = directory;
        _numbers = numbers;
        _admission = admission;
        _logger = logger;
        _log = new ConnectionLog(logger, context.Loop, lines);
        Keeper = new SessionKeeper(context, directory, logger);
        Ghosts = new GhostClaims(context, directory, clientId => _attempts.ContainsKey(clientId));
        context.SessionEnded = Release;
    }

    /// <summary>The loop this gate belongs to.</summary>
    public Loop Loop => _context.Loop;

    /// <summary>The sessions of the loop.</summary>
    public SessionContext Context => _context;

    /// <summary>Writes the loop's sessions.</summary>
    public SessionKeeper Keeper { get; }

    /// <summary>Claims of this loop that no session stands for.</summary>
    public GhostClaims Ghosts { get; }

    /// <summary>
    /// Set while the node stops: it gives up what is left of its claims in one step when it leaves, not session by session.
    /// </summary>
    public bool IsLeaving { get; set; }

    /// <summary>What a CONNECT gets while the directory does not answer.</summary>
    public WhenAway WhenAway { get; init; }

    /// <summary>Whether other nodes may have sessions that a directory of a new generation does not know yet: their devices wait for it.</summary>
    public bool WaitsForRecovery { get; init; }

    /// <summary>The lowest attach number of an attempt that has no session yet; <see cref="long.MaxValue"/> for none.</summary>
    public long LowestPending
    {
        get
        {
            long lowest = long.MaxValue;
            foreach (ConnectAttempt attempt in _attempts.Values)
            {
                lowest = long.Min(lowest, attempt.AttachNumber);
                lowest = long.Min(lowest, attempt.Next?.AttachNumber ?? long.MaxValue);
            }

            return lowest;
        }
    }

    /// <summary>Connections closed for a cause; any thread.</summary>
    public long ClosesOf(CloseCause cause) => Volatile.Read(ref _closes[(int)cause]);

    /// <summary>This loop's part of the node's checkpoint.</summary>
    public CheckpointPart TakeCheckpoint(IReadOnlyList<LogPosition> before) =>
        CheckpointPart.Take(_context, before, LowestPending, Ghosts);

    /// <inheritdoc/>
    public void Ask(ConnectRequest request, Channel channel)
    {
        (ReasonCode reason, string detail) = _admission.Ask(_attempts.Count, Keeper.Counters);
        if (reason != ReasonCode.Success)
        {
            channel.Refuse(reason, detail);
            return;
        }

        if (!_context.Registry.HasRoomFor(request.ClientId))
        {
            RefuseForRoom(channel);
            return;
        }

        var attempt = new ConnectAttempt(this, request, channel, _numbers.Next());
        if (_attempts.TryGetValue(request.ClientId, out ConnectAttempt? running))
        {
            // The newest connection has the identifier [MQTT-3.1.4-3]; those before it were not answered yet.
            running.Channel.Refuse(ReasonCode.ServerBusy, TakenText);
            running.Next?.Channel.Refuse(ReasonCode.ServerBusy, TakenText);
            running.Next = attempt;
            return;
        }

        Begin(attempt);
    }

    /// <inheritdoc/>
    public void Closed(Channel channel, in ChannelClose close)
    {
        _closes[(int)close.Cause]++;
        _log.Closed(channel, channel.ClientId, close);
    }

    /// <summary>The sessions held on this loop with their tokens, and with all of their state when they are to be written back.</summary>
    public IReadOnlyList<HeldSession> Held(bool withRecords = false) =>
    [
        .. _context.Registry.All
            .Where(session => session.Claim is HeldClaim)
            .Select(session => (Session: session, Claim: (HeldClaim)session.Claim!))
            .Select(held => new HeldSession(held.Session.ClientId, held.Claim.Token, held.Claim.AttachNumber, AddressOf(held.Session.Channel))
            {
                Record = withRecords ? RecordFields.Whole(held.Session) : null,
            }),
    ];

    private static void RefuseForRoom(Channel channel) =>
        channel.Refuse(ReasonCode.QuotaExceeded, "This node holds Mqtt:MaximumSessions sessions on the loop of this client identifier.");

    private static string AddressOf(Channel? channel) =>
        channel?.Host is DeviceConnection connection ? connection.Transport.Remote.ToString() : "";
}
