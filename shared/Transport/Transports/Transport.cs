using System.Buffers;

namespace Trunkline.Transports;

/// <summary>
/// One connection of bytes, owned by one loop, used on its thread only. An idle one holds no buffer: input lives in the
/// loop's receive buffer, output in chunks that are given back as soon as they are sent.
/// </summary>
/// <remarks>
/// Nothing here calls the handler from inside a call the handler makes: closing, moving and resuming take effect later in
/// the same turn or in the next.
/// </remarks>
public abstract partial class Transport : IBufferWriter<byte>
{
    private Loop _loop;
    private ITransportHandler _handler = UnsetHandler.Instance;
    private BufferChunk? _outputHead;
    private BufferChunk? _outputTail;
    private BufferChunk? _rest;
    private LoopTimer? _sendDeadline;
    private ConnectionOrigin? _origin;
    private int _unsent;

    /// <summary>Until the handler marks output as permitted: when it was accepted; then: since when that is permitted. Never both.</summary>
    private uint _acceptedOrPermittedMs;
    private TransportState _state;
    private TransportCloseReason _closeReason;

    /// <summary>Makes a transport owned by <paramref name="loop"/>; without an origin it says by <see cref="DescribeOrigin"/> where it came from.</summary>
    protected Transport(Loop loop, ConnectionOrigin? origin, TransportSettings settings)
    {
        _loop = loop;
        _origin = origin;
        Settings = settings;
    }

    /// <summary>The loop that owns it now.</summary>
    public Loop Loop => _loop;

    /// <summary>
    /// When its listener took it, in the loops' milliseconds; 0 for one without a listener. A layer has that of the socket
    /// below. Kept for deadlines until its first packet, not after <see cref="MarkPermitted"/>.
    /// </summary>
    public long AcceptedMs
    {
        // Half of the time is kept, which goes round after 49 days: connections are in this for seconds.
        get => _acceptedOrPermittedMs == 0 ? 0 : _loop.NowMs - (uint)((uint)_loop.NowMs - _acceptedOrPermittedMs);
        set => _acceptedOrPermittedMs = value == 0 ? 0 : uint.Max(1, (uint)value);
    }

    /// <summary>
    /// Who owns its bytes. A handler that sets another one inside <see cref="ITransportHandler.OnReceived"/> hands over:
    /// what it did not consume is presented to the new one at once.
    /// </summary>
    public ITransportHandler Handler
    {
        get => _handler;
        set => _handler = value;
    }

    /// <summary>Where it came from. Layers (PROXY protocol, TLS, WebSocket) put a better one in place before the connection is handed over.</summary>
    public ConnectionOrigin Origin
    {
        get => _origin ?? DescribeOrigin();
        set => _origin = value;
    }

    /// <summary>The address of <see cref="Origin"/>, without making that.</summary>
    public NetworkAddress Remote => _origin is { } origin ? origin.Remote : DescribeRemote();

    /// <summary>Its limits.</summary>
    public TransportSettings Settings { get; }

    /// <summary>
    /// Where bytes are written; they leave at the end of the turn, or earlier when much has gathered. A frame that is
    /// written with one GetSpan and Advance is not split between chunks. After closing, bytes are dropped.
    /// </summary>
    public IBufferWriter<byte> Output => this;

    /// <summary>Bytes written but not yet taken by the kernel (or the other end of a memory pair).</summary>
    public virtual int UnsentBytes => _unsent;

    /// <summary>Whether it is closed or closing: nothing more is received or sent of what is written from now on.</summary>
    public bool IsClosed => (_state & (TransportState.Closed | TransportState.Ending)) != 0;

    /// <summary>Whether reading is paused.</summary>
    public bool IsPaused => (_state & TransportState.Paused) != 0;

    /// <summary>Bytes received and not consumed yet; 0 for an idle one.</summary>
    public int RetainedBytes => _rest?.Length ?? 0;

    /// <summary>Stops calls to <see cref="ITransportHandler.OnReceived"/> and, as soon as the buffers between are full, the peer.</summary>
    public void PauseReading()
    {
        CheckThread();
        _state |= TransportState.Paused;
        OnPaused();
    }

    /// <summary>Goes on reading; retained bytes are presented again in a later step of this turn or the next.</summary>
    public void ResumeReading()
    {
        CheckThread();
        if ((_state & TransportState.Paused) != 0)
        {
            _state &= ~TransportState.Paused;
            _state |= TransportState.PresentRest;
            MarkReady();
            OnResumed();
        }
    }

    /// <summary>Closes; the handler's <see cref="ITransportHandler.OnClosed"/> comes later. A second call can only turn a graceful close into an abort.</summary>
    public void Close(TransportClose how)
    {
        CheckThread();
        if (how == TransportClose.Abort)
        {
            End(TransportCloseReason.LocalClose, TransportState.Aborting);
        }
        else
        {
            End(TransportCloseReason.LocalClose, TransportState.Closing);
        }
    }

    /// <summary>
    /// Gives the connection to another loop at the end of this turn; unread, unconsumed and unsent bytes travel, and
    /// unconsumed ones are presented there without waiting for more. From this call until then the handler gets no input.
    /// </summary>
    public void MoveTo(Loop target)
    {
        CheckThread();
        if (target == _loop || (_state & (TransportState.Moving | TransportState.Closed)) != 0)
        {
            return;
        }

        _state |= TransportState.Moving;
        _loop.AddMove(this, target);
    }

    /// <summary>Every use is on the loop's thread; a wrong one is a bug that would corrupt silently.</summary>
    protected void CheckThread()
    {
        if (!_loop.IsCurrent)
        {
            throw new InvalidOperationException($"Transport {Origin} was used outside of its loop {_loop.Name}.");
        }
    }

    /// <summary>Asks for a step in the next turn.</summary>
    protected void MarkReady()
    {
        if ((_state & TransportState.Ready) == 0)
        {
            _state |= TransportState.Ready;
            _loop.AddReady(this);
        }
    }

    /// <summary>Asks for a visit at the end of this turn.</summary>
    protected void MarkDirty()
    {
        if ((_state & TransportState.Dirty) == 0)
        {
            _state |= TransportState.Dirty;
            _loop.AddDirty(this);
        }
    }

    /// <summary>Where it came from, made when asked for: most connections are asked once or never, and hold no object for it.</summary>
    protected virtual ConnectionOrigin DescribeOrigin() => ConnectionOrigin.Memory;

    /// <summary>The address that <see cref="DescribeOrigin"/> would name.</summary>
    protected virtual NetworkAddress DescribeRemote() => DescribeOrigin().Remote;

    /// <summary>Takes it off its loop's descriptor tables; on the old loop. A layer takes what lies below along with <see cref="DepartBelow"/>.</summary>
    protected abstract void OnLeaving(Loop from, Loop target);

    /// <summary>Puts it on the new loop's tables; on the new loop. A layer calls <see cref="ArriveBelow"/>.</summary>
    protected abstract void OnArrived(Loop to);

    /// <summary>A layer pauses what lies below it.</summary>
    protected virtual void OnPaused()
    {
    }

    /// <summary>A layer lets what lies below it go on.</summary>
    protected virtual void OnResumed()
    {
    }

    /// <summary>Takes what lies below a layer off its loop; from <see cref="OnLeaving"/> only.</summary>
    protected static void DepartBelow(Transport inner, Loop from, Loop target)
    {
        inner._state |= TransportState.Moving;
        inner.Depart(from, target);
    }

    /// <summary>Puts what lies below a layer on the new loop; from <see cref="OnArrived"/> only.</summary>
    protected static void ArriveBelow(Transport inner) => inner.Arrive();

    /// <summary>Sends at once what a layer wrote into <paramref name="inner"/>, so that its unsent bytes are those the peer did not take.</summary>
    protected static void SendBelow(Transport inner) => inner.SendEarly(inner._loop);

    /// <summary>Closes what lies below for the layer's reason: that is where connections and their ends are counted.</summary>
    protected static void CloseBelow(Transport inner, TransportCloseReason reason, TransportClose how) => inner.CloseFor(reason, how);

    internal void Leave(Loop from, Loop target)
    {
        if ((_state & TransportState.Closed) == 0 && _loop == from)
        {
            Depart(from, target);
            target.Post(new Arrival(this));
        }
    }

    private void Depart(Loop from, Loop target)
    {
        if ((_state & TransportState.Closed) == 0)
        {
            OnLeaving(from, target);
        }

        if (IsBlocked)
        {
            from.Timers.Cancel(_sendDeadline!);
        }

        _state &= ~(TransportState.Ready | TransportState.Dirty);

        // The last write on this thread: from here on it is the target's.
        Volatile.Write(ref _loop, target);
    }

    private void Arrive()
    {
        _state &= ~TransportState.Moving;
        if ((_state & TransportState.Closed) != 0)
        {
            return;
        }

        if (_rest is not null || (_state & (TransportState.WritableDue | TransportState.PresentRest)) != 0)
        {
            _state |= TransportState.PresentRest;
            MarkReady();
        }

        if ((_state & TransportState.Withheld) != 0)
        {
            MarkReady();
        }

        if (IsBlocked)
        {
            _loop.Timers.Schedule(_sendDeadline!, Settings.SendTimeoutMs);
        }

        OnArrived(_loop);
        if (_unsent > 0 || (_state & TransportState.Ending) != 0)
        {
            MarkDirty();
        }
    }

    private sealed class Arrival(Transport transport) : LoopWork
    {
        protected override void Run() => transport.Arrive();

        protected override void Dropped() => transport.Terminate(TransportCloseReason.LoopStopped, aborted: true);
    }
}
