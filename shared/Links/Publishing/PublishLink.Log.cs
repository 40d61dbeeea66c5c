using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// Towards a foreign broker with a log: a QoS 1 or 2 message is appended there first, then written to the broker, and
/// acknowledged when the broker has it, too.
/// </summary>
/// <remarks>
/// <code>
///   head        sent          written        appended       offered      touched              tail
///    v           v              v               v              v            v                   v
///   [ in flight ][ on an older  ][ in the log,   ][ appends     ][ offered   ][ never left here: ]
///   [           ][ connection   ][ not written   ][ under way   ][ before,   ][ may be refused   ]
///                                                                [ again next]
/// </code>
/// All messages of a turn go in one append, a few appends are under way at a time. After a failure everything from the
/// last confirmed one on is offered again with the same numbers: the log drops what it has. Nothing is appended while the
/// broker is away, so that what waits for it can still be refused in time.
/// </remarks>
internal sealed partial class PublishLink : IEndOfTurn
{
    private const int RetryFirstMs = 50;

    private readonly IForeignLog? _log;
    private readonly string _producer;
    private readonly Queue<Append> _appends = new();
    private readonly RetryTimer _retryTimer;
    private int _appended;
    private int _offered;
    private int _touched;
    private ulong _confirmed;
    private int _retryMs = RetryFirstMs;
    private long _failingSinceMs = -1;
    private bool _isListed;

    /// <summary>Messages that may be written to the broker.</summary>
    private int Writable => _log is null ? _ring.Count : _appended;

    /// <summary>The first message that never left this process.</summary>
    private int FirstUntouched => int.Max(_written, _touched);

    /// <inheritdoc/>
    public void OnEndOfTurn()
    {
        _isListed = false;
        Offer();
    }

    /// <summary>What came in this turn is offered at its end.</summary>
    private void OfferLater()
    {
        if (_log is not null && !_isListed)
        {
            _isListed = true;
            Loop.AtEndOfTurn(this);
        }
    }

    private void Offer()
    {
        while (_log is not null && IsOpen && _offered < _ring.Count && _appends.Count < Options.LogAppendsUnderWay && !_retryTimer.IsScheduled)
        {
            if (!_log.IsConnected)
            {
                Retry(_log.Fault);
                return;
            }

            DropExpired();
            if (Build() is { } append)
            {
                _appends.Enqueue(append);
                _log.Append(append);
            }
        }
    }

    /// <summary>What has outlived itself before anybody else has seen it goes: its publisher did all it had to [MQTT-3.3.2-5].</summary>
    private void DropExpired()
    {
        for (int i = FirstUntouched; i < _ring.Count;)
        {
            ref KeptMessage kept = ref _ring[i];
            if (kept.ExpirySeconds == 0 || Loop.NowMs - kept.KeptAtMs < kept.ExpirySeconds * 1000L)
            {
                if (Loop.NowMs - kept.KeptAtMs < 1000)
                {
                    // Younger ones follow.
                    return;
                }

                i++;
                continue;
            }

            PublishTicket ticket = kept.Ticket;
            _frames.Return(kept.Block);
            _ring.RemoveAt(i, 1);
            Counters.Add(LinkCounter.ExpiredWaiting);
            ticket.Complete(ReasonCode.Success);
        }
    }

    private Append? Build()
    {
        var entries = new List<LogEntry>();
        ulong first = 0;
        int bytes = 0;
        while (_offered < _ring.Count && entries.Count < Options.LogAppendMessages && bytes < Options.LogAppendBytes)
        {
            ref KeptMessage kept = ref _ring[_offered];
            if (_offered >= _touched)
            {
                kept.Number = ++_lastWrittenNumber;
                _touched = _offered + 1;
            }

            if (kept.ExpirySeconds != 0)
            {
                Age(ref kept, isNew: false);
            }

            first = first == 0 ? kept.Number : first;
            byte[] data = LoggedEntry.Write(kept.Frame);
            entries.Add(new LogEntry(data, kept.Id));
            bytes += data.Length;
            _offered++;
        }

        return entries.Count == 0 ? null : new Append(this)
        {
            Producer = _producer,
            Confirmed = _confirmed,
            First = first,
            Entries = entries,
            Known = Group.LogEnd,
        };
    }

    /// <summary>
    /// An append is answered. Answers come from other threads, in whatever order: each waits for those before it. One that was
    /// given up after a failure is in the queue no more; what it holds is offered again, and known by its numbers.
    /// </summary>
    private void OnAppended(Append append)
    {
        append.IsAnswered = true;
        while (_appends.TryPeek(out Append? oldest) && oldest.IsAnswered)
        {
            Settle(oldest);
        }
    }

    private void Settle(Append append)
    {
        if (!append.IsOk || append.IsGap)
        {
            Counters.Add(LinkCounter.LogAppendsFailed);
            Retry(append.IsOk ? "an append before this one was lost" : append.Fault);
            return;
        }

        _appends.Dequeue();
        int count = append.Entries.Count;
        _appended += count;
        _confirmed = append.First + (ulong)count - 1;
        Counters.Add(LinkCounter.LogAppended, count);
        Group.RaiseLogEnd(append.End);
        if (_failingSinceMs >= 0)
        {
            LinksLog.LogTakesAgain(Group.Log, Group.Endpoint.Name, Loop.NowMs - _failingSinceMs);
            _failingSinceMs = -1;
            _retryMs = RetryFirstMs;
        }

        Pump();
        Offer();
    }

    /// <summary>Everything that is not confirmed is offered again, a little later.</summary>
    private void Retry(string reason)
    {
        _appends.Clear();
        _offered = _appended;
        if (_failingSinceMs < 0)
        {
            _failingSinceMs = Loop.NowMs;
            LinksLog.LogFails(Group.Log, Group.Endpoint.Name, reason);
        }

        Loop.Timers.Schedule(_retryTimer, _retryMs);
        _retryMs = int.Min(_retryMs * 2, Options.LogRetryMaximumMs);
    }

    /// <summary>Messages left at the head, all of them written and so appended.</summary>
    private void MoveMarks(int count)
    {
        _written -= count;
        if (_log is not null)
        {
            _appended -= count;
            _offered -= count;
            _touched -= count;
        }
    }

    private sealed class Append(PublishLink link) : LogAppend(link.Loop)
    {
        public bool IsAnswered { get; set; }

        protected override void Run() => link.OnAppended(this);
    }

    private sealed class RetryTimer(PublishLink link) : LoopTimer
    {
        protected override void OnDue() => link.Offer();
    }
}
