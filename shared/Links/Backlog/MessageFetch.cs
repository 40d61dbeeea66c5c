using System.Buffers;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// Reads the messages a restored session has in flight, by position, many at a time; of an older broker of ours each as a
/// page that begins just before the message and ends with it. Belongs to the session's loop.
/// </summary>
internal sealed class MessageFetch : LogRequest
{
    private readonly LoopRouter _router;
    private readonly MessageRead _read;
    private readonly LogPosition[] _positions;
    private readonly Counter _left;
    private readonly RetryTimer _retry;
    private readonly ArrayBufferWriter<byte> _request = new();
    private byte[] _page = [];
    private LogPosition _upTo;
    private string? _error;
    private bool _isMore;
    private bool _asksSingly;
    private int _next;
    private int _end;

    private MessageFetch(LoopRouter router, GroupReceiver receiver, MessageRead read, LogPosition[] positions, Counter left)
        : base(receiver, router.Loop.Index)
    {
        _router = router;
        _read = read;
        _positions = positions;
        _left = left;
        _retry = new RetryTimer(this);
    }

    public override ReadOnlySpan<byte> Request => _request.WrittenSpan;

    /// <summary>Begins a read; every group is asked side by side.</summary>
    public static void Begin(LoopRouter router, GroupReceiver[] receivers, MessageRead read)
    {
        var groups = new Dictionary<int, List<LogPosition>>();
        foreach (GroupPosition place in read.Positions)
        {
            if (place.Group < receivers.Length && router.CanReadBacklog(place.Group))
            {
                if (!groups.TryGetValue(place.Group, out List<LogPosition>? positions))
                {
                    groups.Add(place.Group, positions = []);
                }

                positions.Add(place.Position);
            }
        }

        if (groups.Count == 0)
        {
            read.Complete();
            return;
        }

        var left = new Counter { Value = groups.Count };
        foreach ((int group, List<LogPosition> positions) in groups)
        {
            new MessageFetch(router, receivers[group], read, [.. positions.Distinct().Order()], left).Ask();
        }
    }

    public override void TakeNumbers(long skipped, long left, long aged) => _isMore = left > 0;

    public override void TakePage(ReadOnlySpan<byte> page, LogPosition upTo, string? error)
    {
        _page = page.ToArray();
        _upTo = upTo;
        _error = error;
    }

    public override void OnAnswer(LoopRouter router)
    {
        if (_error is not null && _error != LogScan.Lost)
        {
            // It is in flight: not to be given up because the broker is busy, or too old to be asked for several at a time.
            _asksSingly = !Receiver.IsLogBeside;
            router.Loop.Timers.Schedule(_retry, router.Options.BacklogRetryMs);
            return;
        }

        int before = _next;
        Deliver();
        Pass();
        if (_next < _positions.Length && !_read.IsOver)
        {
            if (_next > before)
            {
                Ask();
            }
            else
            {
                // Too many wait for the broker's disk already, or it is an older broker, which does not wait for it.
                router.Loop.Timers.Schedule(_retry, router.Options.BacklogRetryMs);
            }
        }
        else if (--_left.Value == 0 && !_read.IsOver)
        {
            _read.Complete();
        }
    }

    /// <summary>
    /// What was looked for is over, found or not. A page that ended before it, because something has to come from disk first,
    /// says nothing of it: asked for again.
    /// </summary>
    private void Pass()
    {
        while (_next < _end && (!_isMore || _positions[_next] <= _upTo))
        {
            _next++;
        }
    }

    private void Ask()
    {
        _end = _asksSingly ? _next + 1 : int.Min(_positions.Length, _next + _router.Options.FetchMessages);
        From = _positions[_next].Before;
        var text = new LogRequestText(_request);
        text.Begin(From);
        _request.Write("\nfilter #\nfilter $SYS/#"u8);
        MaximumBytes = 1;
        Positions = null;
        if (_end - _next > 1)
        {
            Positions = new ArraySegment<LogPosition>(_positions, _next, _end - _next);
            text.At(_positions.AsSpan(_next.._end));
            MaximumBytes = _router.Options.BacklogPageBytes;
        }

        text.Bytes(MaximumBytes);
        _router.Counters.Add(LinkCounter.MessageFetches);
        Send();
    }

    private void Deliver()
    {
        int at = 0;
        while (!_read.IsOver
            && FrameReader.TryRead(_page.AsSpan(at), 0, ProtocolVersion.Mqtt50, out Frame frame, out _) == FrameStatus.Complete
            && PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out PublishPacket packet, out _))
        {
            at += frame.TotalLength;
            if (!ForwardableProperties.TryFindUserProperty(packet.Properties, ForwardableProperties.TrunklineKey, out ReadOnlySpan<byte> text))
            {
                continue;
            }

            TrunklineFields fields = TrunklineFields.Parse(text);
            if (Array.BinarySearch(_positions, _next, _end - _next, fields.Position) >= 0)
            {
                SharedMessage message = _router.RentLogged(packet, fields, Receiver.Group.Index);
                _read.Found(message);
                message.Release();
            }
        }
    }

    private sealed class Counter
    {
        public int Value { get; set; }
    }

    private sealed class RetryTimer(MessageFetch fetch) : LoopTimer
    {
        protected override void OnDue() => fetch.Ask();
    }
}
