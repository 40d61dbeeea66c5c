namespace Trunkline.Protocol;

/// <summary>
/// UNSUBSCRIBE: one or more filters.
/// <code>
///   packet id (2), [5.0: properties], { filter (2 + n) }+
/// </code>
/// </summary>
public readonly ref struct UnsubscribePacket
{
    /// <summary>The packet identifier, never 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>The user properties.</summary>
    public UserPropertyList UserProperties { get; init; }

    /// <summary>The filters, in order.</summary>
    public TopicFilterList Filters { get; init; }

    /// <summary>Reads an UNSUBSCRIBE.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out UnsubscribePacket packet, out ProtocolError error)
    {
        packet = default;
        if (!FilterPacketHead.TryParse(frame, PacketType.Unsubscribe, PropertyTable.Unsubscribe, version, out var head, out error)
            || !TopicFilterList.TryParse(head.Rest, out var filters, out error))
        {
            return false;
        }

        packet = new UnsubscribePacket
        {
            PacketId = head.PacketId,
            UserProperties = new UserPropertyList(head.Properties.UserPropertyBlock),
            Filters = filters,
        };
        return true;
    }
}
