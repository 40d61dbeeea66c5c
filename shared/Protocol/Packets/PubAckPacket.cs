namespace Trunkline.Protocol;

/// <summary>PUBACK: a QoS 1 message has found its owner.</summary>
public readonly ref struct PubAckPacket
{
    /// <summary>The packet identifier, never 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>Success in 3.x.</summary>
    public ReasonCode ReasonCode { get; init; }

    /// <summary>True when a reason string is there.</summary>
    public bool HasReasonString => Presence.IsPresent(ReasonString);

    /// <summary>The reason in words; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> ReasonString { get; init; }

    /// <summary>The user properties.</summary>
    public UserPropertyList UserProperties { get; init; }

    /// <summary>Reads a PUBACK.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out PubAckPacket packet, out ProtocolError error)
    {
        if (!Acknowledgement.TryParse(frame, PacketType.PubAck, version, out var acknowledgement, out error))
        {
            packet = default;
            return false;
        }

        packet = new PubAckPacket
        {
            PacketId = acknowledgement.PacketId,
            ReasonCode = acknowledgement.ReasonCode,
            ReasonString = acknowledgement.ReasonString,
            UserProperties = new UserPropertyList(acknowledgement.UserPropertyBlock),
        };
        return true;
    }
}
