using System.Globalization;
using System.Text;
using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Loadtest;

/// <summary>What the server says.</summary>
internal sealed partial class MqttClient
{
    private bool _isSessionPresent;
    private int _filtersAcknowledged;
    private bool _hasSubscribed;

    /// <inheritdoc/>
    public int OnReceived(ReadOnlySpan<byte> bytes)
    {
        // One reading of the clock for all that came at once: it came at that time.
        long nowNs = _settings.Clock.NowNs;
        int used = 0;
        while (State is not ClientState.Idle)
        {
            FrameStatus status = FrameReader.TryRead(bytes[used..], 0, _settings.Version, out Frame frame, out ProtocolError error);
            if (status == FrameStatus.NeedMore)
            {
                return used;
            }

            if (status != FrameStatus.Complete || !TryHandle(frame, nowNs, out error))
            {
                BreakOff($"the server broke the protocol: {error.Message}");
                return bytes.Length;
            }

            used += frame.TotalLength;
        }

        return bytes.Length;
    }

    private bool TryHandle(in Frame frame, long nowNs, out ProtocolError error)
    {
        switch (frame.Type)
        {
            case PacketType.Publish:
                return TryHandlePublish(frame, nowNs, out error);
            case PacketType.PubAck:
                if (PubAckPacket.TryParse(frame, _settings.Version, out PubAckPacket ack, out error))
                {
                    Publisher?.OnAcknowledged(ack.PacketId, ack.ReasonCode, nowNs);
                    return true;
                }

                return false;
            case PacketType.PubRec:
                if (PubRecPacket.TryParse(frame, _settings.Version, out PubRecPacket received, out error))
                {
                    Publisher?.OnPubRec(received.PacketId, received.ReasonCode, nowNs);
                    return true;
                }

                return false;
            case PacketType.PubRel:
                if (PubRelPacket.TryParse(frame, _settings.Version, out PubRelPacket release, out error))
                {
                    Receiver?.OnPubRel(release.PacketId);
                    PacketWriter.WritePubComp(Output, _settings.Version, release.PacketId);
                    return true;
                }

                return false;
            case PacketType.PubComp:
                if (PubCompPacket.TryParse(frame, _settings.Version, out PubCompPacket complete, out error))
                {
                    Publisher?.OnAcknowledged(complete.PacketId, complete.ReasonCode, nowNs);
                    return true;
                }

                return false;
            default:
                return TryHandleControl(frame, nowNs, out error);
        }
    }

    private bool TryHandleControl(in Frame frame, long nowNs, out ProtocolError error)
    {
        error = default;
        switch (frame.Type)
        {
            case PacketType.ConnAck when State == ClientState.Connecting:
                return TryHandleConnAck(frame, nowNs, out error);
            case PacketType.SubAck:
                return TryHandleSubAck(frame, nowNs, out error);
            case PacketType.Disconnect:
                if (DisconnectPacket.TryParse(frame, _settings.Version, PacketSender.Server, out DisconnectPacket packet, out error))
                {
                    Figures.AddReason($"DISCONNECT from the server: {packet.ReasonCode}");
                    return true;
                }

                return false;
            default:
                return true;
        }
    }

    private bool TryHandlePublish(in Frame frame, long nowNs, out ProtocolError error)
    {
        if (!PublishPacket.TryParse(frame, _settings.Version, PacketSender.Server, out PublishPacket packet, out error))
        {
            return false;
        }

        Receiver?.OnPublish(packet, nowNs);
        if (packet.QoS == QoS.AtLeastOnce)
        {
            PacketWriter.WritePubAck(Output, _settings.Version, packet.PacketId);
        }
        else if (packet.QoS == QoS.ExactlyOnce)
        {
            PacketWriter.WritePubRec(Output, _settings.Version, packet.PacketId);
        }

        return true;
    }

    private bool TryHandleConnAck(in Frame frame, long nowNs, out ProtocolError error)
    {
        if (!ConnAckPacket.TryParse(frame, _settings.Version, out ConnAckPacket packet, out error))
        {
            return false;
        }

        if (packet.ReasonCode != ReasonCode.Success)
        {
            BreakOff($"CONNACK refuses: {packet.ReasonCode}");
            return true;
        }

        Figures.Counts.Connects++;
        Figures.Connect.Record(nowNs - _dueNs);
        if (Spec.Filter is null || (packet.SessionPresent && _hasSubscribed))
        {
            // The session holds what this client subscribed before; devices do not ask again either.
            BecomeReady(packet.SessionPresent);
            return true;
        }

        State = ClientState.Subscribing;
        _isSessionPresent = packet.SessionPresent;
        _filtersAcknowledged = 0;
        Subscribe(nowNs);
        return true;
    }

    /// <summary>Asks for the next filter; a client with several asks one at a time.</summary>
    private void Subscribe(long nowNs)
    {
        _subscribeNs = nowNs;
        string filter = Spec.Filter!.Replace("%f", _filtersAcknowledged.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        PacketWriter.WriteSubscribe(
            Output, _settings.Version, 1, Encoding.UTF8.GetBytes(filter), SubscriptionOptions.Create(_settings.SubscribeQoS));
    }

    private bool TryHandleSubAck(in Frame frame, long nowNs, out ProtocolError error)
    {
        if (!SubAckPacket.TryParse(frame, _settings.Version, out SubAckPacket packet, out error))
        {
            return false;
        }

        if (State != ClientState.Subscribing)
        {
            return true;
        }

        if (packet.ReasonCodes.IsEmpty || ReasonCodes.IsError(packet.ReasonCodes[0]))
        {
            BreakOff($"SUBACK refuses: {(packet.ReasonCodes.IsEmpty ? ReasonCode.UnspecifiedError : packet.ReasonCodes[0])}");
            return true;
        }

        Figures.Subscribe.Record(nowNs - _subscribeNs);
        if (++_filtersAcknowledged < _settings.Options.FiltersPerClient)
        {
            Subscribe(nowNs);
            return true;
        }

        _hasSubscribed = true;
        BecomeReady(_isSessionPresent);
        return true;
    }

    /// <summary>Ends a connection that went wrong.</summary>
    private void BreakOff(string reason)
    {
        if (State is ClientState.Connecting or ClientState.Subscribing)
        {
            Fail(reason);
        }
        else if (State == ClientState.Ready)
        {
            // The end is heard as a lost connection; this is why.
            Figures.AddReason(reason);
            _transport!.Close(TransportClose.Abort);
        }
    }
}
