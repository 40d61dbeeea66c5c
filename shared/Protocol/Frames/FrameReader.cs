namespace Trunkline.Protocol;

/// <summary>
/// Finds packets in a buffer, in place. Stateless: a partial packet is presented again from its first byte with more
/// behind it, so input may be split anywhere.
/// <code>
///  bit   7 6 5 4   3 2 1 0
///      +---------+---------+
///      |  type   |  flags  |  1 byte
///      +---------+---------+
///      | remaining length  |  1..4 bytes, 7 bits each, lowest first
///      +-------------------+
///      | body              |  remaining length bytes
/// </code>
/// </summary>
public static class FrameReader
{
    private const int MaximumHeaderSize = 5;
    private const int FlagsTwoAndDuplicate = 0b1010;

    // Bit n of the 256 is set where a packet may begin with the byte n; each row has two types of packets.
    // PUBLISH: DUP(3) QoS(2,1) RETAIN(0) without QoS 3 and without DUP at QoS 0.
    private static ReadOnlySpan<byte> AllowedFirstBytes =>
    [
        0b0000_0000, 0b0000_0000, 0b0000_0001, 0b0000_0000, // reserved, CONNECT
        0b0000_0001, 0b0000_0000, 0b0011_1111, 0b0011_1100, // CONNACK, PUBLISH
        0b0000_0001, 0b0000_0000, 0b0000_0001, 0b0000_0000, // PUBACK, PUBREC
        0b0000_0100, 0b0000_0000, 0b0000_0001, 0b0000_0000, // PUBREL, PUBCOMP
        0b0000_0100, 0b0000_0000, 0b0000_0001, 0b0000_0000, // SUBSCRIBE, SUBACK
        0b0000_0100, 0b0000_0000, 0b0000_0001, 0b0000_0000, // UNSUBSCRIBE, UNSUBACK
        0b0000_0001, 0b0000_0000, 0b0000_0001, 0b0000_0000, // PINGREQ, PINGRESP
        0b0000_0001, 0b0000_0000, 0b0000_0001, 0b0000_0000, // DISCONNECT, AUTH
    ];

    /// <summary>Reads by the rules of 5.0: for the first packet of a connection, whose version is not known yet.</summary>
    /// <param name="buffer">Received bytes, from the first byte of a packet.</param>
    /// <param name="maximumPacketSize">Limit for header and body in bytes; 0 = the protocol's own.</param>
    /// <param name="frame">The packet, when complete.</param>
    /// <param name="error">Why not, when malformed or too large.</param>
    public static FrameStatus TryRead(ReadOnlySpan<byte> buffer, uint maximumPacketSize, out Frame frame, out ProtocolError error) =>
        TryRead(buffer, maximumPacketSize, ProtocolVersion.Mqtt50, out frame, out error);

    /// <summary>
    /// Reads by the rules of a version. 3.1 lets SUBSCRIBE, UNSUBSCRIBE and PUBREL carry DUP, 3.x does not ask for the
    /// shortest form of the remaining length, and 3.x has no AUTH.
    /// </summary>
    /// <param name="buffer">Received bytes, from the first byte of a packet.</param>
    /// <param name="maximumPacketSize">Limit for header and body in bytes; 0 = the protocol's own.</param>
    /// <param name="version">The connection's version.</param>
    /// <param name="frame">The packet, when complete.</param>
    /// <param name="error">Why not, when malformed or too large.</param>
    public static FrameStatus TryRead(
        ReadOnlySpan<byte> buffer, uint maximumPacketSize, ProtocolVersion version, out Frame frame, out ProtocolError error)
    {
        frame = default;
        error = default;
        if (buffer.IsEmpty)
        {
            return FrameStatus.NeedMore;
        }

        // The flags are judged by the first byte alone: who sends garbage is not waited for.
        var first = buffer[0];
        if (((AllowedFirstBytes[first >> 3] >> (first & 7)) & 1) == 0 && !IsToleratedIn31(first, version, out error))
        {
            return FrameStatus.Malformed;
        }

        if (first >= 0xF0 && version != ProtocolVersion.Mqtt50)
        {
            error = ProtocolErrors.PacketTypeReserved;
            return FrameStatus.Malformed;
        }

        if (buffer.Length < 2)
        {
            return FrameStatus.NeedMore;
        }

        var remaining = (uint)buffer[1];
        var headerSize = 2;
        if (remaining >= 0x80)
        {
            var status = ReadLongLength(buffer, version, ref remaining, ref headerSize, out error);
            if (status != FrameStatus.Complete)
            {
                return status;
            }
        }

        // From the header alone: nobody gathers a body that is refused anyway.
        var total = (uint)headerSize + remaining;
        if (total > maximumPacketSize && maximumPacketSize != 0)
        {
            error = ProtocolErrors.PacketTooLarge;
            return FrameStatus.TooLarge;
        }

        if ((uint)buffer.Length < total)
        {
            return FrameStatus.NeedMore;
        }

        frame = new Frame(first, buffer.Slice(headerSize, (int)remaining), (int)total);
        return FrameStatus.Complete;
    }

    private static FrameStatus ReadLongLength(
        ReadOnlySpan<byte> buffer, ProtocolVersion version, ref uint remaining, ref int headerSize, out ProtocolError error)
    {
        error = default;
        remaining &= 0x7F;
        for (var shift = 7; headerSize < MaximumHeaderSize; shift += 7)
        {
            if (headerSize == buffer.Length)
            {
                return FrameStatus.NeedMore;
            }

            uint current = buffer[headerSize++];
            remaining |= (current & 0x7F) << shift;
            if (current < 0x80)
            {
                if (current != 0 || version != ProtocolVersion.Mqtt50)
                {
                    return FrameStatus.Complete;
                }

                error = ProtocolErrors.VariableByteIntegerNotMinimal;
                return FrameStatus.Malformed;
            }
        }

        error = ProtocolErrors.RemainingLengthTooLong;
        return FrameStatus.Malformed;
    }

    private static bool IsToleratedIn31(byte first, ProtocolVersion version, out ProtocolError error)
    {
        var type = (PacketType)(first >> 4);
        if (version == ProtocolVersion.Mqtt31
            && type is PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe
            && (first & 0x0F) == FlagsTwoAndDuplicate)
        {
            error = default;
            return true;
        }

        error = type switch
        {
            0 => ProtocolErrors.PacketTypeReserved,
            PacketType.Publish => (first & 0b0110) == 0b0110 ? ProtocolErrors.PublishQoSInvalid : ProtocolErrors.PublishDuplicateAtQoS0,
            PacketType.PubRel => ProtocolErrors.PubRelFlagsInvalid,
            PacketType.Subscribe => ProtocolErrors.SubscribeFlagsInvalid,
            PacketType.Unsubscribe => ProtocolErrors.UnsubscribeFlagsInvalid,
            PacketType.Disconnect => ProtocolErrors.DisconnectFlagsInvalid,
            PacketType.Auth => ProtocolErrors.AuthFlagsInvalid,
            _ => ProtocolErrors.HeaderFlagsInvalid,
        };
        return false;
    }
}
