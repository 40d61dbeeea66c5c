namespace Trunkline.Protocol;

/// <summary>PUBREL: the sender of a QoS 2 message releases its packet id.</summary>
public readonly ref struct PubRelPacket
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

    /// <summary>Reads a PUBREL.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out PubRelPacket packet, out ProtocolError error)
    {
        if (!Acknowledgement.TryParse(frame, PacketType.PubRel, version, out var acknowledgement, out error))
        {
            packet = default;
            return false;
        }

        packet = new PubRelPacket
        {
            PacketId = acknowledgement.PacketId,
            ReasonCode = acknowledgement.ReasonCode,
            ReasonString = acknowledgement.ReasonString,
            UserProperties = new UserPropertyList(acknowledgement.UserPropertyBlock),
        };
        return true;
    }
}
