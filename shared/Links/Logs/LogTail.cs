using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// Follows the log beside a foreign broker, once for all sessions of the node that outlive their connection, and tells where
/// it ends. On the receiver's loop only. It is its own timer: the next try after a failure.
/// </summary>
/// <remarks>
/// <code>
///   idle --a subscription wants it--> end: the log's last position --> page, page, ... --none left--> wait, wait, ...
///    ^                                 ^                                  ^                |            |
///    +--nobody wants it any more-------|----------------------------------|----------------+------------+
///                                      +--every other subscription asks, too: what is appended later is for it
/// </code>
/// A waiting read stands in the log's server until a message comes, so an idle log costs one call each time it waits in
/// vain. After any failure, and after a pause for a loop that lags, a page comes first: only pages tell what was given up.
/// </remarks>
internal sealed class LogTail : LoopTimer
{
    private const int RetryFirstMs = 50;

    private readonly GroupReceiver _receiver;
    private readonly IForeignLog _log;
    private readonly Loop _loop;
    private readonly LinkCounters _counters;
    private readonly LinkOptions _options;
    private readonly Call _reading;
    private readonly Call _ending;
    private readonly List<FilterRequest> _toAsk = [];
    private readonly List<FilterRequest> _asked = [];
    private int _retryMs = RetryFirstMs;
    private bool _isStarted;
    private bool _isReading;
    private bool _isFollowing;
    private bool _isPaused;
    private bool _isFailing;
    private bool _isEndUnderWay;

    public LogTail(GroupReceiver receiver, IForeignLog log, Loop loop, LinkCounters counters)
    {
        _receiver = receiver;
        _log = log;
        _loop = loop;
        _counters = counters;
        _options = receiver.Group.Node.Options;
        _reading = new Call(loop, OnRead);
        _ending = new Call(loop, OnEnd) { Kind = LogReadKind.End };
    }

    public void Start()
    {
        _isStarted = true;
        AskEnd();
    }

    public void Stop()
    {
        _isStarted = false;
        _loop.Timers.Cancel(this);
    }

    /// <summary>A subscription is live at the broker; what is appended from the answer on is for it.</summary>
    public void Ask(FilterRequest request)
    {
        _toAsk.Add(request);
        AskEnd();
    }

    /// <summary>The loops have taken what lay in their way.</summary>
    public void Resume()
    {
        if (_isPaused)
        {
            _isPaused = false;
            Read(LogReadKind.Page);
        }
    }

    /// <inheritdoc/>
    protected override void OnDue()
    {
        AskEnd();
        if (_isFollowing && !_isReading && !_isPaused)
        {
            Read(LogReadKind.Page);
        }
    }

    /// <summary>One question at a time; whoever comes meanwhile is answered by the next, for its message may be newer than this answer.</summary>
    private void AskEnd()
    {
        if (_isStarted && !_isEndUnderWay && !IsScheduled && (_toAsk.Count > 0 || _receiver.Dispatched.IsNone))
        {
            _isEndUnderWay = true;
            _asked.AddRange(_toAsk);
            _toAsk.Clear();
            _log.Read(_ending);
        }
    }

    private void OnEnd(Call read)
    {
        _isEndUnderWay = false;
        if (!_isStarted)
        {
            return;
        }

        if (!read.IsOk)
        {
            _toAsk.AddRange(_asked);
            _asked.Clear();
            Fail(read.Fault);
            return;
        }

        Succeeded();
        _receiver.Group.RaiseLogEnd(read.End);
        if (!_isFollowing)
        {
            // Nobody is fed by it now, so nobody misses what lies between.
            _receiver.Advance(read.End);
        }

        foreach (FilterRequest request in _asked)
        {
            request.Start = read.End;
            _receiver.Activated(request);
        }

        bool wanted = _asked.Count > 0;
        _asked.Clear();
        if (wanted && !_isFollowing)
        {
            _isFollowing = true;
            if (!_isReading)
            {
                Read(LogReadKind.Page);
            }
        }

        AskEnd();
    }

    private void Read(LogReadKind kind)
    {
        if (!_isStarted || IsScheduled)
        {
            return;
        }

        _isReading = true;
        _reading.Kind = kind;
        _reading.After = _receiver.Dispatched;
        _log.Read(_reading);
    }

    private void OnRead(Call read)
    {
        _isReading = false;
        if (!_isStarted)
        {
            return;
        }

        if (!read.IsOk)
        {
            Fail(read.Fault);
            return;
        }

        Succeeded();
        if (read.IsLossy)
        {
            _counters.Add(LinkCounter.LogLost);
            LinksLog.LogTailLost(_receiver.Group.Log, _receiver.Group.Endpoint.Name, read.After.ToString());
        }

        Dispatch(read);
        _isFollowing = _receiver.IsLogWanted;
        if (!_isFollowing)
        {
            return;
        }

        if (_receiver.MustPause())
        {
            _isPaused = true;
            return;
        }

        Read(read.HasMore ? LogReadKind.Page : LogReadKind.Wait);
    }

    private void Dispatch(Call read)
    {
        int damaged = 0;
        long now = _log.NowMs;
        foreach ((LogPosition position, ReadOnlyMemory<byte> data) in read.Messages)
        {
            if (LoggedEntry.TryRead(data.Span, out var packet, out TrunklineFields fields))
            {
                _receiver.DispatchLogged(packet, fields, position, now - (long)position.Term);
            }
            else
            {
                damaged++;
                _receiver.DispatchedTo(position);
            }
        }

        _counters.Add(LinkCounter.LogRead, read.Messages.Count);
        if (read.Messages.Count > 0)
        {
            LogPosition last = read.Messages[^1].Position;
            _receiver.Group.RaiseLogEnd(last);
            _receiver.TellLoops();
            _receiver.ReportDamaged(damaged, last);
        }

        read.Messages = [];
    }

    private void Succeeded()
    {
        _isFailing = false;
        _retryMs = RetryFirstMs;
    }

    private void Fail(string reason)
    {
        if (!_isFailing)
        {
            _isFailing = true;
            LinksLog.LogTailFails(_receiver.Group.Log, _receiver.Group.Endpoint.Name, reason);
        }

        if (!IsScheduled)
        {
            _loop.Timers.Schedule(this, _retryMs);
            _retryMs = int.Min(_retryMs * 2, _options.LogRetryMaximumMs);
        }
    }

    private sealed class Call(Loop loop, Action<Call> answered) : LogRead(loop)
    {
        protected override void Run() => answered(this);
    }
}
