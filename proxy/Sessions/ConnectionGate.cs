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
internal sealed class ConnectionGate : IConnectGate
{
    private readonly SessionContext _context;
    private readonly IDirectory _directory;
    private readonly ConnectionLog _log;
    private readonly Dictionary<string, List<Attempt>> _attempts = new(StringComparer.Ordinal);
    private readonly long[] _closes = new long[Enum.GetValues<CloseCause>().Length];
    private long _attachNumber;

    public ConnectionGate(SessionContext context, IDirectory directory, ILogger logger)
    {
        _context = context;
        _directory = directory;
        _log = new ConnectionLog(logger, context.Loop);
        context.SessionEnded = Release;
    }

    /// <summary>The loop this gate belongs to.</summary>
    public Loop Loop => _context.Loop;

    /// <summary>Connections closed for a cause; any thread.</summary>
    public long ClosesOf(CloseCause cause) => Volatile.Read(ref _closes[(int)cause]);

    /// <inheritdoc/>
    public void Ask(ConnectRequest request, Channel channel)
    {
        if (!_context.Registry.HasRoomFor(request.ClientId))
        {
            channel.Refuse(ReasonCode.QuotaExceeded, "This node holds Mqtt:MaximumSessions sessions.");
            return;
        }

        var attempt = new Attempt(this, request, channel, ++_attachNumber);
        if (!_attempts.TryGetValue(request.ClientId, out List<Attempt>? underWay))
        {
            underWay = [];
            _attempts.Add(request.ClientId, underWay);
        }

        underWay.Add(attempt);
        _directory.ClaimAsync(new ClaimRequest(request.ClientId, attempt.AttachNumber))
            .Then(attempt, static (attempt, result) => attempt.OnLoop(() => attempt.Gate.Claimed(attempt, result)));
    }

    /// <inheritdoc/>
    public void Closed(Channel channel, in ChannelClose close)
    {
        _closes[(int)close.Cause]++;
        _log.Closed(channel, channel.Session?.ClientId, close);
    }

    /// <summary>Another node claimed an identifier held here: the device is told, the session goes.</summary>
    public void LetGo(string clientId, SessionToken oldToken)
    {
        Supersede(clientId, oldToken);
        if (_context.Registry.Find(clientId) is { Claim: HeldClaim claim } session && claim.Token.Epoch <= oldToken.Epoch)
        {
            session.Channel?.TakeOver();
            _context.Registry.End(session);
        }
    }

    /// <summary>The sessions held on this loop with their tokens.</summary>
    public IEnumerable<HeldSession> Held()
    {
        foreach (Session session in _context.Registry.All)
        {
            if (session.Claim is HeldClaim claim)
            {
                yield return new HeldSession(session.ClientId, claim.Token, claim.AttachNumber);
            }
        }
    }

    private void Claimed(Attempt attempt, DirectoryResult<Claim> result)
    {
        if (!result.IsOk)
        {
            Forget(attempt);
            attempt.Channel.Refuse(
                result.Status == DirectoryStatus.Busy ? ReasonCode.ServerBusy : ReasonCode.ServerUnavailable,
                $"The directory could not be asked ({result.Status}).");
            return;
        }

        Claim claim = result.Value;
        attempt.Claim = new HeldClaim(claim.Token, attempt.AttachNumber);
        if (claim.Previous.IsNone || claim.Previous.Node == _directory.Self.Id)
        {
            Supersede(attempt.Request.ClientId, claim.Previous);
            Open(attempt);
            return;
        }

        _directory.RequestTakeOverAsync(attempt.Request.ClientId, claim.Previous, claim.Token)
            .Then(attempt, static (attempt, _) => attempt.OnLoop(() => attempt.Gate.Open(attempt)));
    }

    private void Open(Attempt attempt)
    {
        Forget(attempt);
        Session? before = _context.Registry.Find(attempt.Request.ClientId);
        long epoch = attempt.Claim!.Token.Epoch;
        if (epoch <= attempt.SupersededEpoch || (before?.Claim is HeldClaim later && later.Token.Epoch > epoch))
        {
            // A later CONNECT with the same identifier, here or at another node, was claimed while this one waited:
            // this one is the old one.
            attempt.Channel.Refuse(ReasonCode.SessionTakenOver, "Another connection took the client identifier meanwhile.");
            return;
        }

        if (attempt.Channel.IsClosed)
        {
            if (before is null)
            {
                _ = ReleaseAsync(attempt.Request.ClientId, attempt.Claim!.Token);
            }
            else
            {
                before.Claim = attempt.Claim;
            }

            return;
        }

        attempt.Channel.Open();
        Session session = attempt.Channel.Session!;
        session.Claim = attempt.Claim;
        _log.Connected(attempt.Channel, session.ClientId, attempt.Channel.WasSessionPresent);
    }

    /// <summary>
    /// The claim of that token was taken by a later one. An attempt that still waits, for the directory's answer or for
    /// the holder before it, has no session yet that could be told, so it is told when its turn comes.
    /// </summary>
    private void Supersede(string clientId, SessionToken taken)
    {
        if (_attempts.TryGetValue(clientId, out List<Attempt>? underWay))
        {
            foreach (Attempt attempt in underWay)
            {
                attempt.SupersededEpoch = long.Max(attempt.SupersededEpoch, taken.Epoch);
            }
        }
    }

    private void Forget(Attempt attempt)
    {
        List<Attempt> underWay = _attempts[attempt.Request.ClientId];
        underWay.Remove(attempt);
        if (underWay.Count == 0)
        {
            _attempts.Remove(attempt.Request.ClientId);
        }
    }

    private void Release(Session session)
    {
        if (session.Claim is HeldClaim claim)
        {
            _ = ReleaseAsync(session.ClientId, claim.Token);
        }
    }

    /// <summary>
    /// A release that fails leaves a claim behind which the next CONNECT takes over; the directory counts and logs it.
    /// </summary>
    private Task<DirectoryResult> ReleaseAsync(string clientId, SessionToken token) => _directory.ReleaseAsync(clientId, token).AsTask();

    /// <summary>A CONNECT on its way through the directory.</summary>
    private sealed class Attempt(ConnectionGate gate, ConnectRequest request, Channel channel, long attachNumber)
    {
        public ConnectionGate Gate { get; } = gate;

        public ConnectRequest Request { get; } = request;

        public Channel Channel { get; } = channel;

        public long AttachNumber { get; } = attachNumber;

        public HeldClaim? Claim { get; set; }

        /// <summary>Claims of this client identifier up to this epoch were taken by later ones.</summary>
        public long SupersededEpoch { get; set; }

        public void OnLoop(Action step)
        {
            Loop loop = Gate._context.Loop;
            if (loop.IsCurrent)
            {
                step();
            }
            else
            {
                loop.Post(step);
            }
        }
    }
}

/// <summary>The claim a session holds in the directory.</summary>
/// <param name="Token">Who may write the session.</param>
/// <param name="AttachNumber">The node's count of attachments.</param>
internal sealed record HeldClaim(SessionToken Token, long AttachNumber);
