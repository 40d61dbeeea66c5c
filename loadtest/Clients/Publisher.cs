using Trunkline.Protocol;

namespace Trunkline.Loadtest;

/// <summary>
/// One publisher: messages that became due, its window at QoS 1 and 2, what it must send again. Loop thread only.
/// </summary>
/// <remarks>
/// A message's due time follows from its number, so a backlog is two numbers and no queue:
/// <code>
/// sequence  0 ... acknowledged ... | in flight (slots) | Sent ... Released | not due yet
/// </code>
/// </remarks>
internal sealed class Publisher(ClientSettings settings, LoopFigures figures, byte[] topic, int number)
{
    private readonly QoS _qos = settings.Options.QoS;
    private MqttClient? _client;
    private InFlightWindow? _window;
    private double _firstDueNs;
    private double _intervalNs;
    private uint _released;
    private bool _isConnected;

    /// <summary>Subscribers each message must reach.</summary>
    public int Copies { get; set; }

    /// <summary>Its number in payloads.</summary>
    public int Number => number;

    /// <summary>Messages sent, and the next sequence number.</summary>
    public uint Sent { get; private set; }

    /// <summary>With --max: who is told that it could send.</summary>
    public MaximumRatePump? Pump { get; set; }

    /// <summary>Whether it waits in the pump's queue.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Messages due and not sent.</summary>
    public uint Backlog => _released - Sent;

    private bool CanSend => _isConnected && !_client!.IsCongested && (_qos == QoS.AtMostOnce || _window is null || !_window.IsFull);

    /// <summary>Sets when its messages are due: the first, and the time between two.</summary>
    public void SetPace(double firstDueNs, double intervalNs)
    {
        _firstDueNs = firstDueNs;
        _intervalNs = intervalNs;
    }

    /// <summary>One more message is due.</summary>
    public void Release()
    {
        _released++;
        SendDue();
    }

    /// <summary>Sends up to so many messages now, each due now (--max); returns how many it could.</summary>
    public int SendNow(int count, long nowNs)
    {
        int sent = 0;
        while (sent < count && CanSend)
        {
            _released++;
            Send(nowNs, nowNs);
            sent++;
        }

        return sent;
    }

    /// <summary>The connection stands: what was in flight goes again, then what became due.</summary>
    public void OnConnected(MqttClient client, bool isSessionPresent)
    {
        _client = client;
        _isConnected = true;
        if (_window is { Count: > 0 })
        {
            Resend(_window, isSessionPresent);
        }

        OnWritable();
    }

    /// <summary>The connection is gone.</summary>
    public void OnConnectionLost() => _isConnected = false;

    /// <summary>The transport takes bytes again.</summary>
    public void OnWritable()
    {
        SendDue();
        Pump?.Enqueue(this);
    }

    /// <summary>PUBACK or PUBCOMP.</summary>
    public void OnAcknowledged(ushort packetId, ReasonCode reason, long nowNs)
    {
        if (_window is null || !_window.TryRelease(packetId, out InFlightMessage message))
        {
            return;
        }

        figures.Counts.Acknowledged++;
        if (ReasonCodes.IsError(reason))
        {
            figures.Counts.Refused++;
            figures.AddReason($"acknowledgement refuses: {reason}");
        }

        if (figures.IsMeasured(message.DueNs))
        {
            figures.Acknowledge.Record(nowNs - message.DueNs);
        }

        SendDue();
        Pump?.Enqueue(this);
    }

    /// <summary>PUBREC: release, unless it refuses, which ends the exchange.</summary>
    public void OnPubRec(ushort packetId, ReasonCode reason, long nowNs)
    {
        if (ReasonCodes.IsError(reason))
        {
            OnAcknowledged(packetId, reason, nowNs);
            return;
        }

        _window?.MarkReceived(packetId);
        PacketWriter.WritePubRel(_client!.Output, settings.Version, packetId);
    }

    private void SendDue()
    {
        if (Sent == _released || !CanSend)
        {
            return;
        }

        long nowNs = settings.Clock.NowNs;
        while (Sent != _released && CanSend)
        {
            Send((long)(_firstDueNs + (Sent * _intervalNs)), nowNs);
        }
    }

    private void Send(long dueNs, long nowNs)
    {
        uint sequence = Sent++;
        ushort packetId = 0;
        if (_qos != QoS.AtMostOnce)
        {
            _window ??= new InFlightWindow(settings.Options.Window);
            packetId = _window.Take(new InFlightMessage(sequence, dueNs, IsReceived: false));
        }

        Write(sequence, dueNs, packetId, duplicate: false);
        figures.Counts.Published++;
        figures.Counts.Expected += Copies;
        if (figures.IsMeasured(dueNs))
        {
            figures.Counts.PublishedMeasured++;
            if (Pump is null)
            {
                figures.Lag.Record(nowNs - dueNs);
            }
        }
    }

    private void Write(uint sequence, long dueNs, ushort packetId, bool duplicate)
    {
        var encoder = new PublishEncoder
        {
            Version = settings.Version,
            Topic = topic,
            Payload = settings.Filler,
            QoS = _qos,
            Retain = settings.Options.Retain,
            Duplicate = duplicate,
            PacketId = packetId,
        };
        int length = encoder.Measure();
        Span<byte> frame = _client!.Output.GetSpan(length);
        encoder.Write(frame);
        new MessageStamp(settings.Run, (uint)number, sequence, dueNs).Write(frame[(length - settings.Filler.Length)..]);
        _client.Output.Advance(length);
    }

    /// <summary>A new connection: unacknowledged messages go again, under their ids and marked where the session is the old one.</summary>
    private void Resend(InFlightWindow window, bool isSessionPresent)
    {
        foreach ((ushort packetId, InFlightMessage message) in window.InOrder())
        {
            if (isSessionPresent && message.IsReceived)
            {
                PacketWriter.WritePubRel(_client!.Output, settings.Version, packetId);
                continue;
            }

            if (message.IsReceived)
            {
                // The server had it and forgot the exchange: sending it again would be a second copy.
                window.TryRelease(packetId, out _);
                continue;
            }

            Write(message.Sequence, message.DueNs, packetId, duplicate: isSessionPresent);
            figures.Counts.Repeated++;
        }
    }
}
