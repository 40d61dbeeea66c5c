namespace Trunkline.Protocol;

/// <summary>
/// All decoded properties of one packet, for every packet but PUBLISH, which has its own smaller
/// <see cref="PublishProperties"/>.
/// </summary>
internal ref struct PropertySet
{
    private const ulong Repeatable = PropertyTable.UserProperty;

    public ReadOnlySpan<byte> ContentType;
    public ReadOnlySpan<byte> ResponseTopic;
    public ReadOnlySpan<byte> CorrelationData;
    public ReadOnlySpan<byte> AssignedClientId;
    public ReadOnlySpan<byte> AuthenticationMethod;
    public ReadOnlySpan<byte> AuthenticationData;
    public ReadOnlySpan<byte> ResponseInformation;
    public ReadOnlySpan<byte> ServerReference;
    public ReadOnlySpan<byte> ReasonString;
    public ReadOnlySpan<byte> UserPropertyBlock;
    public uint? MessageExpiryInterval;
    public uint? SessionExpiryInterval;
    public uint WillDelayInterval;
    public uint MaximumPacketSize;
    public uint SubscriptionIdentifier;
    public ushort? ServerKeepAlive;
    public ushort ReceiveMaximum;
    public ushort TopicAliasMaximum;
    public byte? PayloadFormatIndicator;
    public QoS MaximumQoS;
    public bool RequestProblemInformation;
    public bool RequestResponseInformation;
    public bool RetainAvailable;
    public bool WildcardSubscriptionAvailable;
    public bool SubscriptionIdentifiersAvailable;
    public bool SharedSubscriptionAvailable;

    /// <summary>Nothing present: the specification's defaults.</summary>
    public PropertySet()
    {
        ReceiveMaximum = ushort.MaxValue;
        MaximumQoS = QoS.ExactlyOnce;
        RequestProblemInformation = true;
        RetainAvailable = true;
        WildcardSubscriptionAvailable = true;
        SubscriptionIdentifiersAvailable = true;
        SharedSubscriptionAvailable = true;
    }

    /// <summary>Decodes a block; <paramref name="allowed"/> is the packet's mask in <see cref="PropertyTable"/>.</summary>
    public bool TryRead(ReadOnlySpan<byte> block, ulong allowed, out ProtocolError error)
    {
        var cursor = new PropertyCursor(block, allowed, Repeatable);
        while (cursor.TryNext())
        {
            if (cursor.Id != PropertyId.UserProperty)
            {
                Take(cursor.Id, cursor.Number, cursor.Data);
            }
            else if (UserPropertyBlock.IsEmpty)
            {
                UserPropertyBlock = block[cursor.Start..];
            }
        }

        error = cursor.Error;
        if (cursor.Failed)
        {
            return false;
        }

        // Both CONNECT and AUTH: data means nothing without its method.
        if (Presence.IsPresent(AuthenticationData) && !Presence.IsPresent(AuthenticationMethod))
        {
            error = ProtocolErrors.AuthenticationMethodMissing;
            return false;
        }

        return true;
    }

    private void Take(PropertyId id, uint number, ReadOnlySpan<byte> data)
    {
        switch (id)
        {
            case PropertyId.PayloadFormatIndicator: PayloadFormatIndicator = (byte)number; break;
            case PropertyId.MessageExpiryInterval: MessageExpiryInterval = number; break;
            case PropertyId.ContentType: ContentType = data; break;
            case PropertyId.ResponseTopic: ResponseTopic = data; break;
            case PropertyId.CorrelationData: CorrelationData = data; break;
            case PropertyId.SubscriptionIdentifier: SubscriptionIdentifier = number; break;
            case PropertyId.SessionExpiryInterval: SessionExpiryInterval = number; break;
            case PropertyId.AssignedClientIdentifier: AssignedClientId = data; break;
            case PropertyId.ServerKeepAlive: ServerKeepAlive = (ushort)number; break;
            case PropertyId.AuthenticationMethod: AuthenticationMethod = data; break;
            case PropertyId.AuthenticationData: AuthenticationData = data; break;
            case PropertyId.RequestProblemInformation: RequestProblemInformation = number != 0; break;
            case PropertyId.WillDelayInterval: WillDelayInterval = number; break;
            case PropertyId.RequestResponseInformation: RequestResponseInformation = number != 0; break;
            case PropertyId.ResponseInformation: ResponseInformation = data; break;
            case PropertyId.ServerReference: ServerReference = data; break;
            case PropertyId.ReasonString: ReasonString = data; break;
            case PropertyId.ReceiveMaximum: ReceiveMaximum = (ushort)number; break;
            case PropertyId.TopicAliasMaximum: TopicAliasMaximum = (ushort)number; break;
            case PropertyId.MaximumQoS: MaximumQoS = (QoS)number; break;
            case PropertyId.RetainAvailable: RetainAvailable = number != 0; break;
            case PropertyId.MaximumPacketSize: MaximumPacketSize = number; break;
            case PropertyId.WildcardSubscriptionAvailable: WildcardSubscriptionAvailable = number != 0; break;
            case PropertyId.SubscriptionIdentifiersAvailable: SubscriptionIdentifiersAvailable = number != 0; break;
            case PropertyId.SharedSubscriptionAvailable: SharedSubscriptionAvailable = number != 0; break;
            case PropertyId.TopicAlias:
            case PropertyId.UserProperty:
            default: break; // PUBLISH only, and kept as a block.
        }
    }
}
