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
        if (!FilterPacketHead.TryParse(frame, PacketType.UnsubAck, PropertyTable.Acknowledgement, version, out var head, out error))
        {
            return false;
        }

        if (version != ProtocolVersion.Mqtt50)
        {
            packet = new UnsubAckPacket { PacketId = head.PacketId };
            return new WireReader(head.Rest).IsComplete(out error);
        }

        packet = new UnsubAckPacket
        {
            PacketId = head.PacketId,
            ReasonCodes = MemoryMarshal.Cast<byte, ReasonCode>(head.Rest),
            ReasonString = head.Properties.ReasonString,
            UserProperties = new UserPropertyList(head.Properties.UserPropertyBlock),
        };
        return Protocol.ReasonCodes.AreAllowed(PacketType.UnsubAck, packet.ReasonCodes, out error);
    }
}
