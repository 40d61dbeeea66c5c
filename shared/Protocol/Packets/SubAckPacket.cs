using System.Runtime.InteropServices;

namespace Trunkline.Protocol;

/// <summary>
/// SUBACK: the server's answer to SUBSCRIBE, one code for each filter, in its order.
/// <code>
///   packet id (2), [5.0: properties], codes to the end
/// </code>
/// </summary>
public readonly ref struct SubAckPacket
{
    /// <summary>The packet identifier of the SUBSCRIBE, never 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>One code for each filter of the SUBSCRIBE.</summary>
    public ReadOnlySpan<ReasonCode> ReasonCodes { get; init; }

    /// <summary>True when a reason string is there.</summary>
    public bool HasReasonString => Presence.IsPresent(ReasonString);

    /// <summary>The reason in words; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> ReasonString { get; init; }

    /// <summary>The user properties.</summary>
    public UserPropertyList UserProperties { get; init; }

    /// <summary>Reads a SUBACK.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out SubAckPacket packet, out ProtocolError error)
    {
        packet = default;
        if (!FilterPacketHead.TryParse(frame, PacketType.SubAck, PropertyTable.Acknowledgement, version, out var head, out error))
        {
            return false;
        }

        packet = new SubAckPacket
        {
            PacketId = head.PacketId,
            ReasonCodes = MemoryMarshal.Cast<byte, ReasonCode>(head.Rest),
            ReasonString = head.Properties.ReasonString,
            UserProperties = new UserPropertyList(head.Properties.UserPropertyBlock),
        };
        return version == ProtocolVersion.Mqtt50
            ? Protocol.ReasonCodes.AreAllowed(PacketType.SubAck, packet.ReasonCodes, out error)
            : AreReturnCodes3Valid(head.Rest, version, out error);
    }

    /// <summary>[MQTT-3.9.3-2] of 3.1.1; 3.1 has no failure code.</summary>
    private static bool AreReturnCodes3Valid(ReadOnlySpan<byte> codes, ProtocolVersion version, out ProtocolError error)
    {
        error = codes.IsEmpty ? ProtocolErrors.AcknowledgementEmpty : default;
        foreach (var code in codes)
        {
            if (code > 2 && (code != (byte)ReasonCode.UnspecifiedError || version == ProtocolVersion.Mqtt31))
            {
                error = ProtocolErrors.ReasonCodeNotAllowed;
            }
        }

        return error.Code == ReasonCode.Success;
    }
}
