using Trunkline.Protocol;

namespace Trunkline.Sessions;

public sealed partial class Channel
{
    /// <summary>
    /// Reads the packets in <paramref name="bytes"/>. Returns how many bytes were used; the rest is handed in again with
    /// what follows it. Malformed input closes the channel with the answer the specification names; nothing of it is
    /// forwarded [MQTT-4.8.0-1] (3.1.1) [MQTT-4.13.1-1] (5.0).
    /// </summary>
    public int Receive(ReadOnlySpan<byte> bytes)
    {
        int used = 0;
        int packets = 0;
        if (_state == State.Open)
        {
            _deadlineOrHeardMs = _context.Loop.NowMs;
        }

        while (_pauses == Pauses.None && _state != State.Closed && used < bytes.Length)
        {
            FrameStatus status = ReadFrame(bytes[used..], out Frame frame, out ProtocolError error);
            if (status == FrameStatus.NeedMore)
            {
                break;
            }

            if (status != FrameStatus.Complete)
            {
                Fail(error);
                return bytes.Length;
            }

            if (_state == State.AwaitingConnect && MovesAway(frame))
            {
                return used;
            }

            used += frame.TotalLength;
            if (!Dispatch(frame, out error))
            {
                Fail(error);
                return bytes.Length;
            }

            if (++packets == _context.Options.MaximumPacketsPerTurn && used < bytes.Length)
            {
                // Tiny frames take longer than their bytes say: the others come first now.
                Pause(Pauses.Turn);
                _context.Yields.Add(this);
            }
        }

        return _state == State.Closed ? bytes.Length : used;
    }

    private FrameStatus ReadFrame(ReadOnlySpan<byte> bytes, out Frame frame, out ProtocolError error)
    {
        uint maximum = (uint)_context.Options.MaximumPacketSize;
        if (_state == State.Open)
        {
            return FrameReader.TryRead(bytes, maximum, _version, out frame, out error);
        }

        // Only CONNECT may come first; anything else is refused by its first byte, before its length is believed.
        if ((PacketType)(bytes[0] >> 4) != PacketType.Connect)
        {
            frame = default;
            error = ChannelErrors.ConnectMustBeFirst;
            return FrameStatus.Malformed;
        }

        return FrameReader.TryRead(bytes, maximum, out frame, out error);
    }

    private bool Dispatch(in Frame frame, out ProtocolError error)
    {
        if (_state != State.Open)
        {
            return ReceiveConnect(frame, out error);
        }

        switch (frame.Type)
        {
            case PacketType.Publish:
                return ReceivePublish(frame, out error);
            case PacketType.PubAck:
                return ReceivePubAck(frame, out error);
            case PacketType.PubRec:
                return ReceivePubRec(frame, out error);
            case PacketType.PubRel:
                return ReceivePubRel(frame, out error);
            case PacketType.PubComp:
                return ReceivePubComp(frame, out error);
            case PacketType.Subscribe:
                return ReceiveSubscribe(frame, out error);
            case PacketType.Unsubscribe:
                return ReceiveUnsubscribe(frame, out error);
            case PacketType.PingReq:
                return ReceivePingReq(frame, out error);
            case PacketType.Disconnect:
                return ReceiveDisconnect(frame, out error);
            case PacketType.Connect:
                error = ChannelErrors.SecondConnect;
                return false;
            case PacketType.Auth:
                error = ChannelErrors.UnexpectedAuth;
                return false;
            default:
                error = ChannelErrors.ServerPacketFromClient;
                return false;
        }
    }

    private bool ReceivePingReq(in Frame frame, out ProtocolError error)
    {
        if (!PingReqPacket.TryParse(frame, out _, out error))
        {
            return false;
        }

        PacketWriter.WritePingResp(_host.Output);
        return true;
    }

    private bool ReceivePubAck(in Frame frame, out ProtocolError error)
    {
        if (!PubAckPacket.TryParse(frame, _version, out PubAckPacket packet, out error))
        {
            return false;
        }

        CountUnknown(Session!.ReceivePubAck(packet.PacketId));
        return true;
    }

    private bool ReceivePubRec(in Frame frame, out ProtocolError error)
    {
        if (!PubRecPacket.TryParse(frame, _version, out PubRecPacket packet, out error))
        {
            return false;
        }

        if (!Session!.ReceivePubRec(packet.PacketId, packet.ReasonCode))
        {
            CountUnknown(false);
            if (!ReasonCodes.IsError(packet.ReasonCode))
            {
                SendPubRel(packet.PacketId, ReasonCode.PacketIdentifierNotFound);
            }
        }

        return true;
    }

    private bool ReceivePubComp(in Frame frame, out ProtocolError error)
    {
        if (!PubCompPacket.TryParse(frame, _version, out PubCompPacket packet, out error))
        {
            return false;
        }

        CountUnknown(Session!.ReceivePubComp(packet.PacketId));
        return true;
    }

    private void CountUnknown(bool known)
    {
        if (!known)
        {
            _context.Counters.Add(SessionCounter.UnknownPacketIds);
        }
    }
}
