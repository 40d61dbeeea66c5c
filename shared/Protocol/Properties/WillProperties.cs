namespace Trunkline.Protocol;

/// <summary>The properties of a will. Read from <see cref="ConnectPacket"/>, or set for a writer.</summary>
public readonly ref struct WillProperties
{
    /// <summary>Seconds between the end of the connection and the will; 0 = at once.</summary>
    public uint DelayInterval { get; init; }

    /// <summary>0 = bytes, 1 = UTF-8 text; null when absent.</summary>
    public byte? PayloadFormatIndicator { get; init; }

    /// <summary>Seconds that the will lives once published; null = no limit.</summary>
    public uint? MessageExpiryInterval { get; init; }

    /// <summary>True when a content type is there.</summary>
    public bool HasContentType => Presence.IsPresent(ContentType);

    /// <summary>The content type; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> ContentType { get; init; }

    /// <summary>True when a response topic is there.</summary>
    public bool HasResponseTopic => Presence.IsPresent(ResponseTopic);

    /// <summary>The response topic; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> ResponseTopic { get; init; }

    /// <summary>True when correlation data is there.</summary>
    public bool HasCorrelationData => Presence.IsPresent(CorrelationData);

    /// <summary>The correlation data; <c>default</c> = absent.</summary>
    public ReadOnlySpan<byte> CorrelationData { get; init; }

    /// <summary>The user properties in order ([MQTT-3.1.3-10]).</summary>
    public UserPropertyList UserProperties { get; init; }

    /// <summary>The block as received, without its length; not used by a writer. See <see cref="ForwardableProperties"/>.</summary>
    public ReadOnlySpan<byte> Raw { get; init; }

    internal static bool TryParse(ReadOnlySpan<byte> block, out WillProperties properties, out ProtocolError error)
    {
        var set = new PropertySet();
        if (!set.TryRead(block, PropertyTable.Will, out error))
        {
            properties = default;
            return false;
        }

        properties = new WillProperties
        {
            DelayInterval = set.WillDelayInterval,
            PayloadFormatIndicator = set.PayloadFormatIndicator,
            MessageExpiryInterval = set.MessageExpiryInterval,
            ContentType = set.ContentType,
            ResponseTopic = set.ResponseTopic,
            CorrelationData = set.CorrelationData,
            UserProperties = new UserPropertyList(set.UserPropertyBlock),
            Raw = block,
        };
        return true;
    }
}
