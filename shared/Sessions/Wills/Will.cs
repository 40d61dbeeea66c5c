using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>A client's Will Message, copied out of CONNECT; published when its connection ends without leave [MQTT-3.1.2-8].</summary>
public sealed class Will
{
    private readonly byte[] _topic;
    private readonly byte[] _payload;
    private readonly byte[] _properties;

    internal Will(in ConnectPacket packet)
    {
        _topic = packet.WillTopic.ToArray();
        _payload = packet.WillPayload.ToArray();
        WillProperties properties = packet.WillProperties;
        _properties = new byte[ForwardableProperties.Measure(properties, strip: true)];
        ForwardableProperties.Copy(properties, _properties, strip: true);
        QoS = packet.WillQoS;
        Retain = packet.WillRetain;
        DelaySeconds = properties.DelayInterval;
        MessageExpirySeconds = properties.MessageExpiryInterval;
    }

    /// <summary>A will that was stored; its parts are copied.</summary>
    public Will(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> properties)
    {
        _topic = topic.ToArray();
        _payload = payload.ToArray();
        _properties = properties.ToArray();
    }

    /// <summary>The topic it is published to.</summary>
    public ReadOnlySpan<byte> Topic => _topic;

    /// <summary>The application message.</summary>
    public ReadOnlySpan<byte> Payload => _payload;

    /// <summary>Its forwardable properties, encoded.</summary>
    public ReadOnlySpan<byte> Properties => _properties;

    /// <summary>The QoS it is published at.</summary>
    public QoS QoS { get; init; }

    /// <summary>Whether it is published as a retained message [MQTT-3.1.2-14] [MQTT-3.1.2-15].</summary>
    public bool Retain { get; init; }

    /// <summary>Seconds between the end of the connection and the publish, unless the session ends first [MQTT-3.1.2-8].</summary>
    public uint DelaySeconds { get; init; }

    /// <summary>Lifetime of the message in seconds; null for none.</summary>
    public uint? MessageExpirySeconds { get; init; }
}
