using Microsoft.Extensions.Logging;
using Trunkline.Directory;
using Trunkline.Hosting.Devices;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>
/// Lets devices in: claims the client identifier in the directory, has the node that held it before let go, then opens
/// the channel. One instance a loop; every method on it.
/// </summary>
/// <remarks>
/// Of one identifier only one attempt is under way; a later CONNECT waits for it, and of those that wait only the newest
/// is kept. So claims of one node come in the order of its CONNECTs, however the directory's answers are delayed.
/// <code>
///   Ask ──► claim ──► (another node held it: it lets go, or a second passes) ──► Open
///    └─ the identifier is under way: the older is refused, the newer waits ──────► Finish ──► the newer begins
/// </code>
/// </remarks>
internal sealed class ConnectionGate : IConnectGate
{
    private const string TakenText = "Another connection took the client identifier meanwhile.";
    private readonly SessionContext _context;
    private readonly IDirectory _directory;
    private readonly ConnectionLog _log;
    private readonly Dictionary<string, ConnectAttempt> _attempts = new(StringComparer.Ordinal);
    private readonly long[] _closes = new long[Enum.GetValues<CloseCause>().Length];
    private long _attachNumber;

    public ConnectionGate(SessionContext context, IDirectory directory, ILogger logger, LineBudgets lines)
    {
        _context = context;
        _directory = directory;
        _log = new ConnectionLog(logger, context.Loop, lines);
        context.SessionEnded = Release;
    }

    /// <summary>The loop this gate belongs to.</summary>
    public Loop Loop => _context.Loop;

    /// <summary>
    /// Set while the node stops: it gives all its claims up in one step when it leaves, not session by session.
    /// </summary>
    public bool IsLeaving { get; set; }

    /// <summary>Connections closed for a cause; any thread.</summary>
    public long ClosesOf(CloseCause cause) => Volatile.Read(ref _closes[(int)cause]);

    /// <inheritdoc/>
    public void Ask(ConnectRequest request, Channel channel)
    {
        if (!_context.Registry.HasRoomFor(request.ClientId))
        {
            RefuseForRoom(channel);
            return;
        }

        var attempt = new ConnectAttempt(this, request, channel, ++_attachNumber);
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
        _log.Closed(channel, channel.Session?.ClientId, close);
    }

    /// <summary>Another node claimed an identifier held here: the device is told 0x8E, the session goes.</summary>
    /// <param name="clientId">The identifier.</param>
    /// <param name="oldToken">The claim that was replaced.</param>
    /// <param name="newToken">The claim that holds now; a claim of ours that came after it stays.</param>
    public void LetGo(string clientId, SessionToken oldToken, SessionToken newToken)
    {
        if (_attempts.TryGetValue(clientId, out ConnectAttempt? attempt) && newToken.Epoch > attempt.LostTo.Epoch)
        {
            // The claim of a CONNECT that is still on its way may be the one that was replaced.
            attempt.LostTo = newToken;
        }

        if (_context.Registry.Find(clientId) is { Claim: HeldClaim claim } session
            && (claim.Token == oldToken || claim.Token.Epoch < newToken.Epoch))
        {
            // The claim is another node's: there is nothing to release.
            session.Claim = null;
            session.Channel?.TakeOver();
            _context.Registry.End(session);
        }
    }

    /// <summary>The sessions held on this loop with their tokens.</summary>
    public IReadOnlyList<HeldSession> Held() =>
    [
        .. _context.Registry.All
            .Where(session => session.Claim is HeldClaim)
            .Select(session => (Session: session, Claim: (HeldClaim)session.Claim!))
            .Select(held => new HeldSession(held.Session.ClientId, held.Claim.Token, held.Claim.AttachNumber, AddressOf(held.Session.Channel))),
    ];

    private void Begin(ConnectAttempt attempt)
    {
        _attempts[attempt.Request.ClientId] = attempt;
        var request = new ClaimRequest(attempt.Request.ClientId, attempt.AttachNumber, AddressOf(attempt.Channel));
        _directory.ClaimAsync(request)
            .Then(attempt, static (attempt, result) => attempt.OnLoop(() => attempt.Gate.Claimed(attempt, result)));
    }

    private void Claimed(ConnectAttempt attempt, DirectoryResult<Claim> result)
    {
        if (!result.IsOk)
        {
            attempt.Channel.Refuse(
                result.Status == DirectoryStatus.Busy ? ReasonCode.ServerBusy : ReasonCode.ServerUnavailable,
                $"The directory could not be asked ({result.Status}).");
            Finish(attempt);
            return;
        }

        Claim claim = result.Value;
        attempt.Claim = new HeldClaim(claim.Token, attempt.AttachNumber);
        if (claim.Previous.IsNone || claim.Previous.Node == _directory.Self.Id)
        {
            Decide(attempt);
            return;
        }

        // Confirmed or not: a node that does not answer is kept from writing by the token.
        _directory.RequestTakeOverAsync(attempt.Request.ClientId, claim.Previous, claim.Token)
            .Then(attempt, static (attempt, _) => attempt.OnLoop(() => attempt.Gate.Decide(attempt)));
    }

    private void Decide(ConnectAttempt attempt)
    {
        Session? before = _context.Registry.Find(attempt.Request.ClientId);
        if (attempt.IsLost)
        {
            attempt.Channel.Refuse(ReasonCode.ServerBusy, TakenText);
        }
        else if (attempt.Channel.IsClosed)
        {
            if (before is not null)
            {
                before.Claim = attempt.Claim;
            }
        }
        else if (!_context.Registry.HasRoomFor(attempt.Request.ClientId))
        {
            RefuseForRoom(attempt.Channel);
        }
        else
        {
            Open(attempt, before);
        }

        Finish(attempt);
    }

    private void Open(ConnectAttempt attempt, Session? before)
    {
        if (before is not null)
        {
            // Should it end now, by Clean Start, its claim is not there any more: this attempt's has replaced it.
            before.Claim = null;
        }

        attempt.Channel.Open();
        Session session = attempt.Channel.Session!;
        session.Claim = attempt.Claim;
        _log.Connected(attempt.Channel, session.ClientId, attempt.Channel.WasSessionPresent);
    }

    /// <summary>The attempt is decided: the one that waited for it begins, or a claim that no session took is given up.</summary>
    private void Finish(ConnectAttempt attempt)
    {
        string clientId = attempt.Request.ClientId;
        _attempts.Remove(clientId);
        if (attempt.Next is { Channel.IsClosed: false } next)
        {
            Begin(next);
            return;
        }

        if (attempt is { Claim: { } claim, IsLost: false } && _context.Registry.Find(clientId)?.Claim is not HeldClaim)
        {
            Release(clientId, claim.Token);
        }
    }

    private void Release(Session session)
    {
        if (session.Claim is HeldClaim claim && !IsLeaving)
        {
            Release(session.ClientId, claim.Token);
        }
    }

    /// <summary>
    /// Not awaited: a release that fails leaves a claim behind which the next CONNECT takes over; the directory ends each
    /// call within its deadline, counts it and logs it.
    /// </summary>
    private void Release(string clientId, SessionToken token) =>
        _directory.ReleaseAsync(clientId, token).Then(0, static (_, _) => { });

    private static void RefuseForRoom(Channel channel) =>
        channel.Refuse(ReasonCode.QuotaExceeded, "This node holds Mqtt:MaximumSessions sessions on the loop of this client identifier.");

    private static string AddressOf(Channel? channel) =>
        channel?.Host is DeviceConnection connection ? connection.Transport.Origin.Remote.ToString() : "";
}
