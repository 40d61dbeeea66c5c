using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// Counts how much of one session's backlog in the log beside a foreign broker lies within its limits: reads it once, from
/// the session's place to what was in the log when it began, and keeps the sizes of the newest messages within the limits
/// only. On the receiver's loop.
/// </summary>
/// <remarks>
/// <code>
///   from                        passed over up to here                 end
///    v                                 v                                v
///   [ matching ones that fell out of the window: counted ][ the window ]
/// </code>
/// It holds at most one entry for each message of the limit.
/// </remarks>
internal sealed class BacklogCount : LogRead
{
    private readonly GroupReceiver _receiver;
    private readonly IForeignLog _log;
    private readonly LogRequest _request;
    private readonly NewestAsked _asked;
    private readonly FilterIndex<bool> _filters = new();
    private readonly Queue<(LogPosition Position, int Bytes)> _window = new();
    private readonly LogPosition _end;
    private LogPosition _passedOver;
    private long _ahead = -1;
    private long _skipped;
    private long _aged;
    private long _bytes;

    public BacklogCount(GroupReceiver receiver, IForeignLog log, Loop loop, LogRequest request, NewestAsked asked)
        : base(loop)
    {
        _receiver = receiver;
        _log = log;
        _request = request;
        _asked = asked;
        _end = receiver.Dispatched;
        _passedOver = request.From;
        Kind = LogReadKind.Page;
        MaximumBytes = receiver.Group.Node.Options.BacklogPageBytes;
        After = request.From;
        foreach (TopicFilterText filter in asked.Filters)
        {
            _filters.Add(filter, true);
        }
    }

    public void Begin() => _log.Read(this);

    protected override void Run()
    {
        if (!IsOk)
        {
            _request.TakePage([], _request.From, Fault);
            _receiver.Answer(_request);
            return;
        }

        if (_ahead < 0)
        {
            // What was dispatched may be far behind what is there: the tail of the log is read by another call.
            _ahead = Messages.Count + (HasMore ? (long)Left : 0);
        }

        if (Take() && HasMore)
        {
            After = Messages[^1].Position;
            _log.Read(this);
            return;
        }

        _request.TakeNumbers(_skipped, _window.Count, _skipped > 0 ? _aged : 0);
        _request.TakePage([], _passedOver, null);
        _receiver.Answer(_request);
    }

    /// <summary>Counts a page; false when the end was reached in it.</summary>
    private bool Take()
    {
        long now = _log.NowMs;
        long mostAgeMs = _request.AgeSeconds > 0 ? _request.AgeSeconds * 1000L : long.MaxValue;
        foreach ((LogPosition position, ReadOnlyMemory<byte> data) in Messages)
        {
            if (--_ahead < 0 && position > _end)
            {
                return false;
            }

            if (LoggedEntry.TryRead(data.Span, out PublishPacket packet, out _)
                && LoggedEntry.TryAge(packet.Properties.MessageExpiryInterval, now - (long)position.Term, out _)
                && IsWanted(packet.Topic))
            {
                if (now - (long)position.Term > mostAgeMs)
                {
                    // Positions tell times: what is too old lies before everything else. It is counted here only when the
                    // reading then begins behind it.
                    _aged++;
                    continue;
                }

                Add(position, packet.Topic.Length + packet.Payload.Length);
            }
        }

        return true;
    }

    private void Add(LogPosition position, int bytes)
    {
        _window.Enqueue((position, bytes));
        _bytes += bytes;
        while (_window.Count > _asked.Messages || _bytes > _asked.Bytes)
        {
            (_passedOver, int dropped) = _window.Dequeue();
            _bytes -= dropped;
            _skipped++;
        }
    }

    private bool IsWanted(ReadOnlySpan<byte> topic)
    {
        var any = default(Any);
        _filters.Match(topic, ref any);
        return any.IsFound;
    }

    private struct Any : IFilterCollector<bool>
    {
        public bool IsFound { get; private set; }

        public void Add(bool value) => IsFound = true;
    }
}
