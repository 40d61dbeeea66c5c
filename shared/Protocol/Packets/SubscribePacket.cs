namespace Trunkline.Protocol;

/// <summary>
/// SUBSCRIBE: one or more filters with their options.
/// <code>
///   packet id (2), [5.0: properties], { filter (2 + n), options (1) }+
/// </code>
/// </summary>
public readonly ref struct SubscribePacket
{
    /// <summary>The packet identifier, never 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>The identifier for all filters of the packet, 1 to 268,435,455; 0 = none; 5.0.</summary>
    public uint SubscriptionIdentifier { get; init; }

    /// <summary>The user properties.</summary>
    public UserPropertyList UserProperties { get; init; }

    /// <summary>The subscriptions, in order.</summary>
    public SubscriptionList Subscriptions { get; init; }

    /// <summary>Reads a SUBSCRIBE. No Local on a shared subscription is judged where filters are parsed ([MQTT-3.8.3-4]).</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out SubscribePacket packet, out ProtocolError error)
    {
        packet = default;
        if (!FilterPacketHead.TryParse(frame, PacketType.Subscribe, PropertyTable.Subscribe, version, out var head, out error)
            || !SubscriptionList.TryParse(head.Rest, version, out var subscriptions, out error))
        {
            return false;
        }

        packet = new SubscribePacket
        {
            PacketId = head.PacketId,
            SubscriptionIdentifier = head.Properties.SubscriptionIdentifier,
            UserProperties = new UserPropertyList(head.Properties.UserPropertyBlock),
            Subscriptions = subscriptions,
        };
        return true;
    }
}
