namespace Trunkline.Protocol;

/// <summary>PUBCOMP: a QoS 2 exchange is complete.</summary>
public readonly ref struct PubCompPacket
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

    /// <summary>Reads a PUBCOMP.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out PubCompPacket packet, out ProtocolError error)
    {
        if (!Acknowledgement.TryParse(frame, PacketType.PubComp, version, out var acknowledgement, out error))
        {
            packet = default;
            return false;
        }

        packet = new PubCompPacket
        {
            PacketId = acknowledgement.PacketId,
            ReasonCode = acknowledgement.ReasonCode,
            ReasonString = acknowledgement.ReasonString,
            UserProperties = new UserPropertyList(acknowledgement.UserPropertyBlock),
        };
        return true;
    }
}
