using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>
/// The receive link towards our broker: one cursor in the group's log feeds it. It knows how far it has everything, and
/// after a loss one resume names that position for the whole link. Loop thread only.
/// </summary>
/// <remarks>
/// <code>
///   first connection:  CONNECT, resume "tail", then SUBSCRIBE as filters come   (so no SUBACK position lies before the cursor)
///   later connections: CONNECT, SUBSCRIBE every filter, all SUBACKs, resume p   (so the cursor misses no filter)
/// </code>
/// </remarks>
internal sealed class TrunklineReceiveLink(GroupReceiver receiver, SessionContext context, LinkCounters counters)
    : ReceiveLink(receiver, context, counters, $"tl-{receiver.Group.Node.NodeId}-r{receiver.Group.Index}-0", 1000 + receiver.Group.Index)
{
    private readonly Dictionary<uint, LoopRequest?> _requests = [];
    private readonly Queue<FilterRequest> _toAsk = new();

    /// <summary>Reads of the log that are not answered; asked again on the next connection.</summary>
    private readonly Queue<LogRequest> _logToAsk = new();
    private readonly List<LogRequest> _logAsked = [];
    private bool _isResumed;
    private uint _lastCorrelation;
    private int _awaited;

    protected override string Announcement => $"v1;kr;d{Group.Node.NodeId};l{Number};h{Group.HighestTerm}";

    public override void Ask(FilterRequest request)
    {
        _toAsk.Enqueue(request);
        PumpRequests();
    }

    public override void Ask(LogRequest request)
    {
        _logToAsk.Enqueue(request);
        PumpRequests();
    }

    public override void OnWritable(LinkConnection connection)
    {
        base.OnWritable(connection);
        PumpRequests();
        PumpReports();
    }

    public override void PumpReports()
    {
        while (_isResumed && IsOpen && !Connection!.IsCongested && Receiver.Shares.TryNext(out ReadOnlySpan<byte> lines, out ShareReport? report))
        {
            Request(ControlTopics.Shares, lines, report);
        }
    }

    protected override void OnOpen(LinkConnection connection, LinkPeer peer)
    {
        _toAsk.Clear();
        bool isFirst = Receiver.Dispatched.IsNone;
        _awaited = RequeueAll();
        if (isFirst || _awaited == 0)
        {
            _awaited = 0;
            Resume();
        }

        PumpFilters();
        PumpRequests();
    }

    protected override void OnLost()
    {
        base.OnLost();
        _isResumed = false;
        Receiver.Shares.OnLost();
        _requests.Clear();
        _toAsk.Clear();
        _logAsked.ForEach(_logToAsk.Enqueue);
        _logAsked.Clear();
    }

    protected override void OnAwaitedFilter()
    {
        if (_awaited > 0 && --_awaited == 0)
        {
            Resume();
        }
    }

    protected override void OnPublish(in PublishPacket packet)
    {
        if (packet.Topic.StartsWith(ControlTopics.Prefix))
        {
            OnControl(packet);
            return;
        }

        TrunklineFields fields = ForwardableProperties.TryFindUserProperty(packet.Properties, ForwardableProperties.TrunklineKey, out ReadOnlySpan<byte> text)
            ? TrunklineFields.Parse(text)
            : default;
        Receiver.Dispatch(packet, fields, fields.Position);
    }

    private void OnControl(in PublishPacket packet)
    {
        if (packet.Topic.SequenceEqual(ControlTopics.Tail))
        {
            LogPosition tail = TrunklineFields.ParsePosition(
                packet.Payload.StartsWith("p"u8) ? packet.Payload[1..] : packet.Payload);
            Receiver.Advance(tail);
            return;
        }

        if (!packet.Topic.SequenceEqual(ControlTopics.Reply)
            || packet.Properties.CorrelationData.Length != sizeof(uint)
            || !_requests.Remove(BinaryPrimitives.ReadUInt32BigEndian(packet.Properties.CorrelationData), out LoopRequest? request))
        {
            return;
        }

        TrunklineFields fields = ForwardableProperties.TryFindUserProperty(packet.Properties, ForwardableProperties.TrunklineKey, out ReadOnlySpan<byte> text)
            ? TrunklineFields.Parse(text)
            : default;
        switch (request)
        {
            case FilterRequest filter:
                OnRetained(filter, fields, packet.Payload);
                break;
            case ShareReport report:
                if (!fields.Error.IsEmpty)
                {
                    LinksLog.ShareReportRefused(Group.Log, Group.Endpoint.Name, Encoding.UTF8.GetString(fields.Error));
                }

                Receiver.Shares.Answered(report, packet.Payload);
                break;
            case LogRequest log:
                _logAsked.Remove(log);
                log.TakeNumbers((long)fields.Skipped, (long)fields.Left, (long)fields.Aged);
                log.TakePage(packet.Payload, fields.Position, fields.Error.IsEmpty ? null : Encoding.UTF8.GetString(fields.Error));
                Receiver.Answer(log);
                break;
            default:
                if (!fields.Position.IsNone || !fields.Error.IsEmpty)
                {
                    OnResumed(fields);
                }

                break;
        }

        PumpRequests();
    }

    private void OnResumed(in TrunklineFields fields)
    {
        if (!fields.Error.IsEmpty)
        {
            Counters.Add(LinkCounter.ResumesWithLoss);
            LinksLog.ResumeWithLoss(Group.Log, Group.Endpoint.Name, Receiver.Dispatched.ToString(), Encoding.UTF8.GetString(fields.Error));
        }

        Receiver.Advance(fields.Position);
    }

    private void OnRetained(FilterRequest request, in TrunklineFields fields, ReadOnlySpan<byte> payload)
    {
        if (!fields.Error.IsEmpty)
        {
            // The filter is live all the same; its subscriber goes without retained messages.
            request.Cursor = null;
            request.Page = null;
            Receiver.OnPage(request, Receiver.Dispatched);
            return;
        }

        request.Page = payload.IsEmpty ? null : payload.ToArray();
        request.Cursor = fields.Cursor.IsEmpty ? null : fields.Cursor.ToArray();
        request.NewerUpTo = fields.NewerUpTo;
        request.Since = request.Kind == RequestKind.Subscribe ? fields.RetainedSequence : request.Since;
        Receiver.OnPage(request, fields.Position);
    }

    private void Resume()
    {
        // What was not answered, then who is there and what is held: before anything of it is handed out again.
        _isResumed = true;
        PumpReports();
        Receiver.Shares.WriteState(lines => Request(ControlTopics.Shares, lines.Span, null));
        Span<byte> buffer = stackalloc byte[96];
        var fields = new FieldWriter(buffer);
        if (!Receiver.Dispatched.IsNone)
        {
            fields.Position(Receiver.Dispatched);
        }

        Request(ControlTopics.Resume, fields.Text.IsEmpty ? "tail"u8 : fields.Text, null);
    }

    private void PumpRequests()
    {
        while (IsOpen && !Connection!.IsCongested && _logToAsk.TryDequeue(out LogRequest? log))
        {
            // Bounded by Links:BacklogScans and BacklogCounts for each loop.
            _logAsked.Add(log);
            Request(ControlTopics.Log, log.Request, log);
        }

        while (IsOpen && _requests.Count < Options.RequestWindow && !Connection!.IsCongested && _toAsk.TryDequeue(out FilterRequest? request))
        {
            if (request.Filter is { State: UpstreamState.Subscribing or UpstreamState.Live })
            {
                AskNow(request);
            }
        }
    }

    private void AskNow(FilterRequest request)
    {
        Span<byte> numbers = stackalloc byte[48];
        ReadOnlySpan<byte> filter = request.Text.Text;
        int size = filter.Length + (request.Cursor?.Length ?? 0) + 96;
        Span<byte> payload = size <= 1024 ? stackalloc byte[1024] : new byte[size];
        int length = Append(payload, 0, "filter "u8, filter);
        if (request.Cursor is not null)
        {
            length = Append(payload, length, "\ncursor "u8, request.Cursor);
        }

        if (request.Kind == RequestKind.Page)
        {
            Utf8Formatter.TryFormat(request.Since, numbers, out int digits);
            length = Append(payload, length, "\nsince "u8, numbers[..digits]);
        }

        Utf8Formatter.TryFormat(Options.RetainedPageBytes, numbers, out int written);
        length = Append(payload, length, "\nbytes "u8, numbers[..written]);
        Request(ControlTopics.Retained, payload[..length], request);
    }

    private static int Append(Span<byte> buffer, int length, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        name.CopyTo(buffer[length..]);
        value.CopyTo(buffer[(length + name.Length)..]);
        return length + name.Length + value.Length;
    }

    /// <summary>Sends one request at QoS 0; its reply comes back on this connection, in order with everything else.</summary>
    private void Request(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, LoopRequest? request)
    {
        uint correlation = ++_lastCorrelation;
        _requests.Add(correlation, request);
        Span<byte> properties = stackalloc byte[3 + ControlTopics.Reply.Length + 3 + sizeof(uint)];
        properties[0] = (byte)PropertyId.ResponseTopic;
        BinaryPrimitives.WriteUInt16BigEndian(properties[1..], (ushort)ControlTopics.Reply.Length);
        ControlTopics.Reply.CopyTo(properties[3..]);
        Span<byte> rest = properties[(3 + ControlTopics.Reply.Length)..];
        rest[0] = (byte)PropertyId.CorrelationData;
        BinaryPrimitives.WriteUInt16BigEndian(rest[1..], sizeof(uint));
        BinaryPrimitives.WriteUInt32BigEndian(rest[3..], correlation);
        var encoder = new PublishEncoder
        {
            Version = ProtocolVersion.Mqtt50,
            Topic = topic,
            Payload = payload,
            ForwardableProperties = properties,
            QoS = QoS.AtMostOnce,
        };
        encoder.Write(Connection!.Output);
    }
}
