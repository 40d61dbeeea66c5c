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
        if (frame.Type != PacketType.Unsubscribe)
        {
            error = ProtocolErrors.WrongPacket;
            return false;
        }

        var reader = new WireReader(frame.Body);
        if (!reader.TryReadPacketId(out var packetId, out error))
        {
            return false;
        }

        var properties = new PropertySet();
        if (version == ProtocolVersion.Mqtt50
            && (!reader.TryReadPropertyBlock(out var block, out error) || !properties.TryRead(block, PropertyTable.Unsubscribe, out error)))
        {
            return false;
        }

        if (!TopicFilterList.TryParse(reader.Rest, out var filters, out error))
        {
            return false;
        }

        packet = new UnsubscribePacket
        {
            PacketId = packetId,
            UserProperties = new UserPropertyList(properties.UserPropertyBlock),
            Filters = filters,
        };
        return true;
    }
}
