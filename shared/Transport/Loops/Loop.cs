namespace Trunkline.Transports;

/// <summary>
/// One thread that owns connections, sessions and links; what belongs to a loop is touched within its turns only, so there
/// are no locks in it. Others reach it through <see cref="Post(LoopWork)"/> alone. Its thread may be another loop's for a
/// while (Loop.Sharing.cs).
/// </summary>
/// <remarks>
/// <code>
/// turn:  (let events gather) -> wait -> NowMs -> I/O -> posted work -> due timers -> inputs to go on with -> end of turn
///                                                             (end-of-turn items, then output is sent, closed
///                                                              connections are buried, moved ones leave)
/// </code>
/// An exception ends at the loop's edge: it is reported, the connection it came from is closed, the loop goes on.
/// </remarks>
public abstract partial class Loop : IDisposable
{
    // Turns in a row that fire no timer because events are left: 32,768 descriptors' worth; under load for ever timers go on.
    private const int MostFullTurns = 64;

    // Input handlers never hold more than one turn's worth plus a small rest in it.
    private const int ReceiveBufferSlack = BufferPool.MediumBytes;

    private readonly ILoopFaults? _faults;
    private readonly long _ticksPerMs;
    private readonly List<IEndOfTurn> _endOfTurn = [];
    private readonly List<Transport> _dirty = [];
    private readonly List<(Transport Transport, Loop Target)> _moves = [];
    private List<Transport> _ready = [];
    private List<Transport> _readyNow = [];
    private int _fullTurns;
    private int _gatheredBytes;
    private long _lookedAt;
    private byte[]? _discard;
    private long _receivedBytes;
    private long _sentBytes;

    /// <summary>Makes a loop that does not run yet.</summary>
    protected Loop(LoopOptions options)
    {
        Options = options;
        _faults = options.Faults;
        _ticksPerMs = Math.Max(1, options.Time.TimestampFrequency / 1000);
        Buffers = new BufferPool(options.Memory);
        ReceiveBuffer = GC.AllocateUninitializedArray<byte>(options.InputPerTurnBytes + ReceiveBufferSlack, pinned: true);
        long now = options.Time.GetTimestamp();
        _coalescer = options.Coalescing.IntervalUs > 0 ? new WakeUpCoalescer(options.Coalescing, options.Time.TimestampFrequency, now) : null;
        NowMs = now / _ticksPerMs;
        Timers = new TimerWheel(NowMs, ReportFault);
    }

    /// <summary>What it was made with.</summary>
    public LoopOptions Options { get; }

    /// <summary>How much memory the process has left.</summary>
    public MemoryGauge Memory => Options.Memory;

    /// <summary>Name in logs.</summary>
    public string Name => Options.Name;

    /// <summary>Place among the process's loops.</summary>
    public int Index => Options.Index;

    /// <summary>The clock.</summary>
    public TimeProvider Time => Options.Time;

    /// <summary>Monotonic time in ms, read once per turn.</summary>
    public long NowMs { get; private set; }

    /// <summary>Deadlines. Loop thread only.</summary>
    public TimerWheel Timers { get; }

    /// <summary>Buffers. Loop thread only.</summary>
    public BufferPool Buffers { get; }

    /// <summary>Exceptions that reached the loop's edge since it started.</summary>
    public long FaultCount { get; private set; }

    /// <summary>Bytes its sockets received since it started; any thread.</summary>
    public long ReceivedBytes => Volatile.Read(ref _receivedBytes);

    /// <summary>Bytes its sockets sent since it started; any thread.</summary>
    public long SentBytes => Volatile.Read(ref _sentBytes);

    /// <summary>Where transports of this loop receive into; valid within one step only.</summary>
    protected internal byte[] ReceiveBuffer { get; }

    /// <summary>Whether a fault without a listener is thrown on (tests) rather than contained.</summary>
    protected virtual bool ThrowsFaults => false;

    /// <summary>Asks for one call at the end of this turn. Loop thread only.</summary>
    public void AtEndOfTurn(IEndOfTurn item) => _endOfTurn.Add(item);

    /// <summary>Reports an exception caught at the loop's edge, or before it by one who knows what to end. Loop thread only.</summary>
    public void ReportFault(object source, Exception exception)
    {
        FaultCount++;
        _faults?.OnFault(this, source, exception);
        if (_faults is null && ThrowsFaults)
        {
            throw new LoopFaultException(source, exception);
        }
    }

    /// <summary>A place for what is written to a closed connection.</summary>
    internal byte[] Discard(int size)
    {
        if (_discard is null || _discard.Length < size)
        {
            _discard = new byte[Math.Max(size, BufferPool.MediumBytes)];
        }

        return _discard;
    }

    /// <summary>Waits for I/O or <see cref="Wake"/>, at most <paramref name="timeoutMs"/> (0: do not wait, -1: no limit), and returns the number of events.</summary>
    protected abstract int Wait(int timeoutMs);

    /// <summary>Handles the events of the last <see cref="Wait"/>.</summary>
    protected abstract void Dispatch(int events);

    /// <summary>Whether the last <see cref="Wait"/> may have left events for want of room.</summary>
    protected virtual bool MayHaveMore(int events) => false;

    /// <summary>Ends a <see cref="Wait"/>; any thread, called at most once per wait.</summary>
    protected abstract void Wake();

    /// <summary>Closes what the loop owns, on its thread, before it ends.</summary>
    protected virtual void OnStopping()
    {
    }

    /// <summary>One turn; without a look for events only where somebody else would have seen them.</summary>
    protected void Turn(bool mayWait, bool looks = true)
    {
        ThreadLoad? load = Load;
        if (mayWait)
        {
            LetEventsGather(load);
        }

        int timeoutMs = mayWait ? PrepareWait() : 0;
        if (timeoutMs != 0)
        {
            load?.FallAsleep(Options.Time.GetTimestamp());
        }

        int events = looks ? Wait(timeoutMs) : 0;
        EndWait();
        _lookedAt = Options.Time.GetTimestamp();
        load?.WakeUp(_lookedAt);
        _coalescer?.Looked(_lookedAt, events);
        NowMs = _lookedAt / _ticksPerMs;
        Timers.MoveClock(NowMs);
        _found = events;
        Dispatch(events);
        RunPosted();

        // After the loop was held up the bytes of more descriptors wait than one turn fetches: nobody is late before they are read.
        if (!MayHaveMore(events) || ++_fullTurns == MostFullTurns)
        {
            _fullTurns = 0;
            Timers.Advance(NowMs);
        }

        ContinueInputs();
        EndTurn();
    }

    /// <summary>Whether the next turn has something to do without waiting.</summary>
    protected bool HasWork => _ready.Count > 0 || HasPosted || _dirty.Count > 0 || _endOfTurn.Count > 0 || _moves.Count > 0;

    internal void CountReceived(int bytes) => _receivedBytes += bytes;

    internal void CountSent(int bytes) => _sentBytes += bytes;

    internal void AddReady(Transport transport) => _ready.Add(transport);

    internal void AddDirty(Transport transport) => _dirty.Add(transport);

    internal void AddMove(Transport transport, Loop target) => _moves.Add((transport, target));

    /// <summary>Counts buffer memory that output gathers in.</summary>
    internal void CountGathered(int bytes) => _gatheredBytes += bytes;

    /// <summary>Sends everything gathered within the turn when its memory is past the limit. Never calls a handler.</summary>
    internal void LimitGathered()
    {
        if (_gatheredBytes > Options.GatherPerLoopBytes)
        {
            _gatheredBytes = 0;
            for (int i = 0; i < _dirty.Count; i++)
            {
                _dirty[i].SendEarly(this);
            }
        }
    }

    private long ReadClock() => Options.Time.GetTimestamp() / _ticksPerMs;

    private void ContinueInputs()
    {
        if (_ready.Count == 0)
        {
            return;
        }

        (_ready, _readyNow) = (_readyNow, _ready);
        for (int i = 0; i < _readyNow.Count; i++)
        {
            Transport transport = _readyNow[i];
            try
            {
                transport.ContinueInput(this);
            }
            catch (Exception exception)
            {
                transport.Terminate(TransportCloseReason.Error, aborted: true);
                ReportFault(transport, exception);
            }
        }

        _readyNow.Clear();
    }

    private void EndTurn()
    {
        while (_endOfTurn.Count > 0 || _dirty.Count > 0)
        {
            for (int i = 0; i < _endOfTurn.Count; i++)
            {
                IEndOfTurn item = _endOfTurn[i];
                try
                {
                    item.OnEndOfTurn();
                }
                catch (Exception exception)
                {
                    ReportFault(item, exception);
                }
            }

            _endOfTurn.Clear();
            for (int i = 0; i < _dirty.Count; i++)
            {
                Transport transport = _dirty[i];
                try
                {
                    transport.EndTurn(this);
                }
                catch (Exception exception)
                {
                    ReportFault(transport, exception);
                }
            }

            _dirty.Clear();
        }

        _gatheredBytes = 0;
        for (int i = 0; i < _moves.Count; i++)
        {
            (Transport transport, Loop target) = _moves[i];
            try
            {
                transport.Leave(this, target);
            }
            catch (Exception exception)
            {
                transport.Terminate(TransportCloseReason.Error, aborted: true);
                ReportFault(transport, exception);
            }
        }

        _moves.Clear();
    }
}
