using System.Text;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// Reads the messages a restored session has in flight, by position, one group's behind the other. Each is a page of the
/// log that begins just before the message and ends with it. Belongs to the session's loop.
/// </summary>
internal sealed class MessageFetch : LogRequest
{
    private readonly LoopRouter _router;
    private readonly MessageRead _read;
    private readonly List<LogPosition> _positions;
    private readonly Counter _left;
    private readonly RetryTimer _retry;
    private byte[] _request = [];
    private byte[] _page = [];
    private string? _error;
    private int _next;

    private MessageFetch(LoopRouter router, GroupReceiver receiver, MessageRead read, List<LogPosition> positions, Counter left)
        : base(receiver, router.Loop.Index)
    {
        _router = router;
        _read = read;
        _positions = positions;
        _left = left;
        _retry = new RetryTimer(this);
    }

    public override ReadOnlySpan<byte> Request => _request;

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
            new MessageFetch(router, receivers[group], read, positions, left).Ask();
        }
    }

    public override void TakePage(ReadOnlySpan<byte> page, LogPosition upTo, string? error)
    {
        _page = page.ToArray();
        _error = error;
    }

    public override void OnAnswer(LoopRouter router)
    {
        if (_error is not null && _error != "lost")
        {
            // It is in flight: not to be given up because the broker is busy.
            router.Loop.Timers.Schedule(_retry, router.Options.BacklogRetryMs);
            return;
        }

        Deliver();
        _next++;
        if (_next < _positions.Count && !_read.IsOver)
        {
            Ask();
        }
        else if (--_left.Value == 0 && !_read.IsOver)
        {
            _read.Complete();
        }
    }

    private void Ask()
    {
        From = _positions[_next].Before;
        MaximumBytes = 1;
        _request = Encoding.ASCII.GetBytes($"from p{From}\nfilter #\nfilter $SYS/#\nbytes 1");
        Send();
    }

    private void Deliver()
    {
        if (_read.IsOver
            || FrameReader.TryRead(_page, 0, ProtocolVersion.Mqtt50, out Frame frame, out _) != FrameStatus.Complete
            || !PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out PublishPacket packet, out _)
            || !ForwardableProperties.TryFindUserProperty(packet.Properties, ForwardableProperties.TrunklineKey, out ReadOnlySpan<byte> text))
        {
            return;
        }

        TrunklineFields fields = TrunklineFields.Parse(text);
        if (fields.Position == _positions[_next])
        {
            SharedMessage message = _router.RentLogged(packet, fields, Receiver.Group.Index);
            _read.Found(message);
            message.Release();
        }
    }

    private sealed class Counter
    {
        public int Value { get; set; }
    }

    private sealed class RetryTimer(MessageFetch fetch) : LoopTimer
    {
        protected override void OnDue() => fetch.Send();
    }
}
