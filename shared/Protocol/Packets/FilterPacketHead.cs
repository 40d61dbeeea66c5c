namespace Trunkline.Protocol;

/// <summary>
/// What SUBSCRIBE, UNSUBSCRIBE and their acknowledgements begin with; what follows is each packet's own.
/// <code>
///   packet id (2), [5.0: properties]
/// </code>
/// </summary>
internal ref struct FilterPacketHead
{
    /// <summary>The packet identifier, never 0.</summary>
    public ushort PacketId { get; private init; }

    /// <summary>The properties; none before 5.0.</summary>
    public PropertySet Properties;

    /// <summary>What follows the head.</summary>
    public ReadOnlySpan<byte> Rest { get; private init; }

    /// <summary>Reads the head of a packet of one type; <paramref name="properties"/> names the properties it may have.</summary>
    public static bool TryParse(
        scoped in Frame frame, PacketType type, ulong properties, ProtocolVersion version, out FilterPacketHead head, out ProtocolError error)
    {
        head = default;
        if (frame.Type != type)
        {
            error = ProtocolErrors.WrongPacket;
            return false;
        }

        var reader = new WireReader(frame.Body);
        if (!reader.TryReadPacketId(out var packetId, out error))
        {
            return false;
        }

        var set = new PropertySet();
        if (version == ProtocolVersion.Mqtt50
            && (!reader.TryReadPropertyBlock(out var block, out error) || !set.TryRead(block, properties, out error)))
        {
            return false;
        }

        head = new FilterPacketHead { PacketId = packetId, Properties = set, Rest = reader.Rest };
        return true;
    }
}
