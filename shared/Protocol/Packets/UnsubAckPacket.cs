using System.Runtime.InteropServices;

namespace Trunkline.Protocol;

/// <summary>
/// UNSUBACK: the server's answer to UNSUBSCRIBE, one code for each filter, in its order.
/// <code>
///   packet id (2), [5.0: properties], codes to the end
/// </code>
/// </summary>
public readonly ref struct UnsubAckPacket
{
    /// <summary>The packet identifier of the UNSUBSCRIBE, never 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>One code for each filter of the UNSUBSCRIBE. In 3.x UNSUBACK has none, and the list is empty.</summary>
    public ReadOnlySpan<ReasonCode> ReasonCodes { get; init; }

    /// <summary>True when a reason string is there.</summary>
    public bool HasReasonString => Presence.IsPresent(ReasonString);

    /// <summary>The reason in words; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> ReasonString { get; init; }

    /// <summary>The user properties.</summary>
    public UserPropertyList UserProperties { get; init; }

    /// <summary>Reads a UNSUBACK.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out UnsubAckPacket packet, out ProtocolError error)
    {
        packet = default;
        if (frame.Type != PacketType.UnsubAck)
        {
            error = ProtocolErrors.WrongPacket;
            return false;
        }

        var reader = new WireReader(frame.Body);
        if (!reader.TryReadPacketId(out var packetId, out error))
        {
            return false;
        }

        if (version != ProtocolVersion.Mqtt50)
        {
            packet = new UnsubAckPacket { PacketId = packetId };
            return reader.IsComplete(out error);
        }

        var properties = new PropertySet();
        if (!reader.TryReadPropertyBlock(out var block, out error) || !properties.TryRead(block, PropertyTable.Acknowledgement, out error))
        {
            return false;
        }

        packet = new UnsubAckPacket
        {
            PacketId = packetId,
            ReasonCodes = MemoryMarshal.Cast<byte, ReasonCode>(reader.Rest),
            ReasonString = properties.ReasonString,
            UserProperties = new UserPropertyList(properties.UserPropertyBlock),
        };
        return AreReasonCodesValid(packet.ReasonCodes, out error);
    }

    private static bool AreReasonCodesValid(ReadOnlySpan<ReasonCode> codes, out ProtocolError error)
    {
        error = codes.IsEmpty ? ProtocolErrors.AcknowledgementEmpty : default;
        foreach (var code in codes)
        {
            if (!Protocol.ReasonCodes.IsAllowed(PacketType.UnsubAck, PacketSender.Server, code))
            {
                error = ProtocolErrors.ReasonCodeNotAllowed;
            }
        }

        return error.Code == ReasonCode.Success;
    }
}
