using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Sessions;

/// <summary>
/// The server side of one MQTT connection: reads its packets, holds what lasts as long as the connection (version,
/// keep alive, aliases, windows) and hands everything else to its <see cref="Session"/>. It knows no transport: bytes
/// come in by <see cref="Receive"/> and go out through <see cref="IChannelHost"/>. Loop thread only.
/// </summary>
/// <remarks>
/// Files: Channel.Receive (framing, dispatch), Channel.Connect, Channel.Publish (incoming), Channel.Send (outgoing),
/// Channel.Subscribe, Channel.Close. The channel is its own timer: CONNECT deadline first, keep alive after.
/// </remarks>
public sealed partial class Channel : LoopTimer
{
    private readonly IChannelHost _host;
    private SessionContext _context;
    private State _state;
    private Pauses _pauses;
    private ProtocolVersion _version = ProtocolVersion.Mqtt311;
    private bool _wantsProblemInformation = true;
    private bool _isBridge;

    /// <summary>CONNECT had a session expiry above 0, so DISCONNECT may have one.</summary>
    private bool _askedForExpiry;
    private ushort _receiveMaximum;
    private ushort _sendQuota = 1;
    private uint _maximumPacketSize;

    /// <summary>Before CONNECT: when its deadline is; after it: when the client was last heard. Never both.</summary>
    private long _deadlineOrHeardMs;
    private int _keepAliveMs;

    /// <summary>Until the channel opens its <see cref="ConnectRequest"/>, then its <see cref="Aliases"/>; null for most. Never both.</summary>
    private object? _requestOrAliases;

    /// <summary>QoS 1 and 2 publishes of this connection that the client counts as unfinished [MQTT-3.3.4-7].</summary>
    private int _inboundUnfinished;

    /// <summary>Those of them the router has not answered yet.</summary>
    private int _inboundAtRouter;

    /// <summary>Makes the channel of a new connection and starts its CONNECT deadline.</summary>
    /// <param name="context">The loop's shared services.</param>
    /// <param name="host">The connection that carries the channel.</param>
    /// <param name="connectDeadlineMs">Milliseconds until CONNECT must be whole [MQTT-3.1.0-1].</param>
    public Channel(SessionContext context, IChannelHost host, long connectDeadlineMs)
    {
        _context = context;
        _host = host;
        _deadlineOrHeardMs = context.Loop.NowMs + connectDeadlineMs;
        context.Loop.Timers.Schedule(this, connectDeadlineMs);
    }

    private ConnectRequest? Request => _requestOrAliases as ConnectRequest;

    private Aliases? KnownAliases => _requestOrAliases as Aliases;

    private enum State : byte
    {
        AwaitingConnect,
        Connecting,
        Open,
        Closed,
    }

    /// <summary>Topic aliases of this connection, each way; most connections have none.</summary>
    private sealed class Aliases
    {
        public InboundAliases? Inbound;
        public OutboundAliases? Outbound;
    }

    [Flags]
    private enum Pauses : byte
    {
        None = 0,
        Connecting = 1,
        Router = 2,
        Window = 4,
        Operations = 8,

        /// <summary>It had its share of this turn.</summary>
        Turn = 16,
    }

    /// <summary>The session, once open.</summary>
    public Session? Session { get; private set; }

    /// <summary>The client identifier: the session's, or the one that a CONNECT not accepted has named; null before CONNECT.</summary>
    public string? ClientId => Session?.ClientId ?? Request?.ClientId;

    /// <summary>The negotiated version; MQTT 3.1.1 before CONNECT.</summary>
    public ProtocolVersion Version => _version;

    /// <summary>Whether CONNECT was accepted and the channel has not closed.</summary>
    public bool IsOpen => _state == State.Open;

    /// <summary>Whether the channel is over.</summary>
    public bool IsClosed => _state == State.Closed;

    /// <summary>The connection that carries the channel.</summary>
    public IChannelHost Host => _host;

    /// <summary>The Session Present flag CONNACK carried [MQTT-3.2.2-3].</summary>
    public bool WasSessionPresent { get; private set; }

    /// <summary>Keep alive in force, in seconds; 0 for none.</summary>
    public int KeepAliveSeconds => _keepAliveMs / 1500;

    /// <summary>Seconds of silence that end the connection, rounded up; 0 for none [MQTT-3.1.2-22].</summary>
    internal int MaximumSilenceSeconds => (_keepAliveMs + 999) / 1000;

    /// <summary>QoS 1 and 2 messages that may be in flight towards the device: its Receive Maximum or ours, the lower.</summary>
    public int SendQuota => _sendQuota;

    /// <summary>Largest packet the client takes, in bytes with its header; 0 for any.</summary>
    public uint MaximumPacketSize => _maximumPacketSize;

    /// <summary>Whether the device reads more slowly than we write.</summary>
    public bool IsCongested => _host.IsCongested;

    /// <summary>QoS 1 and 2 publishes from the device that it still waits for.</summary>
    public int InboundUnfinished => _inboundUnfinished;

    /// <summary>Leaves the loop it is on, before CONNECT was acted on; <see cref="Enter"/> follows on the new one.</summary>
    public void Leave() => _context.Loop.Timers.Cancel(this);

    /// <summary>Goes on on another loop, with what is left of the CONNECT deadline.</summary>
    public void Enter(SessionContext context)
    {
        _context = context;
        context.Loop.Timers.Schedule(this, long.Max(0, _deadlineOrHeardMs - context.Loop.NowMs));
    }

    /// <summary>The transport takes bytes again: what waits is sent, then the router may go on.</summary>
    public void OnWritable()
    {
        if (Session is not { } session || _state != State.Open)
        {
            return;
        }

        session.Drain();
        if (!IsCongested)
        {
            _context.SessionWritable?.Invoke(session);
        }
    }

    /// <summary>What was written by a permission waits in the transport, for that has grown old: it is asked for anew.</summary>
    public void OnWithheld()
    {
        if (Session is { } session && _state == State.Open)
        {
            _context.Keeper?.Withheld(session);
        }
    }

    /// <summary>The router is full: reading stops until it has drained.</summary>
    internal void PauseForRouter() => Pause(Pauses.Router);

    /// <summary>The router has drained: reading goes on.</summary>
    public void ResumeReading() => Unpause(Pauses.Router);

    /// <summary>The turn in which it had its share is over.</summary>
    internal void OnNextTurn() => Unpause(Pauses.Turn);

    /// <inheritdoc/>
    protected override void OnDue()
    {
        switch (_state)
        {
            case State.AwaitingConnect:
                Close(CloseCause.ConnectDeadline, ReasonCode.KeepAliveTimeout, "No CONNECT within its deadline.");
                break;
            case State.Connecting:
                RefuseFor(CloseCause.ClaimDeadline, ReasonCode.ServerUnavailable, "The client identifier could not be claimed within Mqtt:ClaimDeadlineMs.");
                break;
            case State.Open:
                CheckKeepAlive();
                break;
        }
    }

    private void CheckKeepAlive()
    {
        long now = _context.Loop.NowMs;
        if (_pauses != Pauses.None)
        {
            // We do not read now, so silence proves nothing.
            _deadlineOrHeardMs = now;
        }

        long silentMs = now - _deadlineOrHeardMs;
        if (silentMs >= _keepAliveMs)
        {
            Disconnect(CloseCause.KeepAliveTimeout, ReasonCode.KeepAliveTimeout, null);
            return;
        }

        _context.Loop.Timers.Schedule(this, _keepAliveMs - silentMs);
    }

    private void Pause(Pauses pause)
    {
        if ((_pauses & pause) != 0 || _state == State.Closed)
        {
            return;
        }

        if (_pauses == Pauses.None)
        {
            _host.PauseReading();
        }

        _pauses |= pause;
        if (pause != Pauses.Connecting)
        {
            _context.Counters.Add(pause == Pauses.Turn ? SessionCounter.TurnsYielded : SessionCounter.ReadingPaused);
        }
    }

    private void Unpause(Pauses pause)
    {
        if ((_pauses & pause) == 0 || _state == State.Closed)
        {
            return;
        }

        _pauses &= ~pause;
        if (_pauses == Pauses.None)
        {
            _deadlineOrHeardMs = _context.Loop.NowMs;
            _host.ResumeReading();
        }
    }
}
