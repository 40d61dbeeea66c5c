using System.Buffers;

namespace Trunkline.Protocol.Tests.Support;

/// <summary>Reads any frame to a line of <see cref="Describe"/> and, where an output is given, writes it again.</summary>
internal static class Codec
{
    public static bool TryRead(
        ReadOnlySpan<byte> bytes, ProtocolVersion version, PacketSender sender, IBufferWriter<byte>? output, out string text, out ProtocolError error)
    {
        text = "";
        var status = FrameReader.TryRead(bytes, 0, version, out var frame, out error);
        Assert.True(status is FrameStatus.Complete or FrameStatus.Malformed, $"frame is {status}");
        return status == FrameStatus.Complete && TryReadPacket(frame, version, sender, output, out text, out error);
    }

    public static bool TryReadPacket(
        in Frame frame, ProtocolVersion version, PacketSender sender, IBufferWriter<byte>? output, out string text, out ProtocolError error)
    {
        text = "";
        var ok = frame.Type switch
        {
            PacketType.Connect => Connect(frame, output, ref text, out error),
            PacketType.ConnAck => ConnAck(frame, version, output, ref text, out error),
            PacketType.Publish => Publish(frame, version, sender, output, ref text, out error),
            PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp =>
                Acknowledgement(frame, version, output, ref text, out error),
            PacketType.Subscribe => Subscribe(frame, version, output, ref text, out error),
            PacketType.SubAck => SubAck(frame, version, output, ref text, out error),
            PacketType.Unsubscribe => Unsubscribe(frame, version, output, ref text, out error),
            PacketType.UnsubAck => UnsubAck(frame, version, output, ref text, out error),
            PacketType.PingReq or PacketType.PingResp => Ping(frame, output, ref text, out error),
            PacketType.Disconnect => Disconnect(frame, version, sender, output, ref text, out error),
            PacketType.Auth => Auth(frame, version, sender, output, ref text, out error),
            _ => throw new InvalidOperationException("the frame reader let an unknown type pass"),
        };
        Assert.Equal(ok, error == default);
        return ok;
    }

    private static bool Connect(in Frame frame, IBufferWriter<byte>? output, ref string text, out ProtocolError error)
    {
        if (!ConnectPacket.TryParse(frame, out var packet, out error))
        {
            return false;
        }

        text = Describe.Connect(packet);
        Wrote(output, output is null ? 1 : PacketWriter.WriteConnect(output, packet));
        return true;
    }

    private static bool ConnAck(in Frame frame, ProtocolVersion version, IBufferWriter<byte>? output, ref string text, out ProtocolError error)
    {
        if (!ConnAckPacket.TryParse(frame, version, out var packet, out error))
        {
            return false;
        }

        text = Describe.ConnAck(packet);
        Wrote(output, output is null ? 1 : PacketWriter.WriteConnAck(output, version, packet));
        return true;
    }

    private static bool Publish(
        in Frame frame, ProtocolVersion version, PacketSender sender, IBufferWriter<byte>? output, ref string text, out ProtocolError error)
    {
        if (!PublishPacket.TryParse(frame, version, sender, out var packet, out error))
        {
            return false;
        }

        text = Describe.Publish(packet);
        Wrote(output, output is null ? 1 : PacketWriter.WritePublish(output, version, packet));
        return true;
    }

    private static bool Acknowledgement(in Frame frame, ProtocolVersion version, IBufferWriter<byte>? output, ref string text, out ProtocolError error)
    {
        switch (frame.Type)
        {
            case PacketType.PubAck when PubAckPacket.TryParse(frame, version, out var p, out error):
                text = Describe.Acknowledgement("PUBACK", p.PacketId, p.ReasonCode, p.ReasonString, p.HasReasonString, p.UserProperties);
                Wrote(output, output is null ? 1 : PacketWriter.WritePubAck(output, version, p));
                return true;
            case PacketType.PubRec when PubRecPacket.TryParse(frame, version, out var p, out error):
                text = Describe.Acknowledgement("PUBREC", p.PacketId, p.ReasonCode, p.ReasonString, p.HasReasonString, p.UserProperties);
                Wrote(output, output is null ? 1 : PacketWriter.WritePubRec(output, version, p));
                return true;
            case PacketType.PubRel when PubRelPacket.TryParse(frame, version, out var p, out error):
                text = Describe.Acknowledgement("PUBREL", p.PacketId, p.ReasonCode, p.ReasonString, p.HasReasonString, p.UserProperties);
                Wrote(output, output is null ? 1 : PacketWriter.WritePubRel(output, version, p));
                return true;
            case PacketType.PubComp when PubCompPacket.TryParse(frame, version, out var p, out error):
                text = Describe.Acknowledgement("PUBCOMP", p.PacketId, p.ReasonCode, p.ReasonString, p.HasReasonString, p.UserProperties);
                Wrote(output, output is null ? 1 : PacketWriter.WritePubComp(output, version, p));
                return true;
            default:
                // Parsed again for its error: a pattern that failed may have been another case's.
                _ = frame.Type switch
                {
                    PacketType.PubAck => PubAckPacket.TryParse(frame, version, out _, out error),
                    PacketType.PubRec => PubRecPacket.TryParse(frame, version, out _, out error),
                    PacketType.PubRel => PubRelPacket.TryParse(frame, version, out _, out error),
                    _ => PubCompPacket.TryParse(frame, version, out _, out error),
                };
                return false;
        }
    }

    private static bool Subscribe(in Frame frame, ProtocolVersion version, IBufferWriter<byte>? output, ref string text, out ProtocolError error)
    {
        if (!SubscribePacket.TryParse(frame, version, out var packet, out error))
        {
            return false;
        }

        text = Describe.Subscribe(packet);
        Wrote(output, output is null ? 1 : PacketWriter.WriteSubscribe(output, version, packet));
        return true;
    }

    private static bool SubAck(in Frame frame, ProtocolVersion version, IBufferWriter<byte>? output, ref string text, out ProtocolError error)
    {
        if (!SubAckPacket.TryParse(frame, version, out var p, out error))
        {
            return false;
        }

        text = Describe.Codes("SUBACK", p.PacketId, p.ReasonCodes, p.ReasonString, p.HasReasonString, p.UserProperties);
        Wrote(output, output is null ? 1 : PacketWriter.WriteSubAck(output, version, p));
        return true;
    }

    private static bool Unsubscribe(in Frame frame, ProtocolVersion version, IBufferWriter<byte>? output, ref string text, out ProtocolError error)
    {
        if (!UnsubscribePacket.TryParse(frame, version, out var packet, out error))
        {
            return false;
        }

        text = Describe.Unsubscribe(packet);
        Wrote(output, output is null ? 1 : PacketWriter.WriteUnsubscribe(output, version, packet));
        return true;
    }

    private static bool UnsubAck(in Frame frame, ProtocolVersion version, IBufferWriter<byte>? output, ref string text, out ProtocolError error)
    {
        if (!UnsubAckPacket.TryParse(frame, version, out var p, out error))
        {
            return false;
        }

        text = Describe.Codes("UNSUBACK", p.PacketId, p.ReasonCodes, p.ReasonString, p.HasReasonString, p.UserProperties);
        Wrote(output, output is null ? 1 : PacketWriter.WriteUnsubAck(output, version, p));
        return true;
    }

    private static bool Ping(in Frame frame, IBufferWriter<byte>? output, ref string text, out ProtocolError error)
    {
        var isRequest = frame.Type == PacketType.PingReq;
        var ok = isRequest ? PingReqPacket.TryParse(frame, out _, out error) : PingRespPacket.TryParse(frame, out _, out error);
        text = isRequest ? "PINGREQ" : "PINGRESP";
        if (output is not null)
        {
            Wrote(output, isRequest ? PacketWriter.WritePingReq(output) : PacketWriter.WritePingResp(output));
        }

        return ok;
    }

    private static bool Disconnect(
        in Frame frame, ProtocolVersion version, PacketSender sender, IBufferWriter<byte>? output, ref string text, out ProtocolError error)
    {
        if (!DisconnectPacket.TryParse(frame, version, sender, out var packet, out error))
        {
            return false;
        }

        text = Describe.Disconnect(packet);
        Wrote(output, output is null ? 1 : PacketWriter.WriteDisconnect(output, version, packet));
        return true;
    }

    private static bool Auth(
        in Frame frame, ProtocolVersion version, PacketSender sender, IBufferWriter<byte>? output, ref string text, out ProtocolError error)
    {
        if (!AuthPacket.TryParse(frame, version, sender, out var packet, out error))
        {
            return false;
        }

        text = Describe.Auth(packet);
        Wrote(output, output is null ? 1 : PacketWriter.WriteAuth(output, version, packet));
        return true;
    }

    private static void Wrote(IBufferWriter<byte>? output, int written)
    {
        Assert.True(written > 0, "a packet that was read could not be written");
        if (output is ArrayBufferWriter<byte> buffer)
        {
            Assert.Equal(written, buffer.WrittenCount);
        }
    }
}
