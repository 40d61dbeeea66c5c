namespace Trunkline.Protocol;

/// <summary>The MQTT versions spoken; the values are the protocol levels of CONNECT without the bridge bit.</summary>
public enum ProtocolVersion : byte
{
    /// <summary>MQTT 3.1, protocol name MQIsdp.</summary>
    Mqtt31 = 3,

    /// <summary>MQTT 3.1.1.</summary>
    Mqtt311 = 4,

    /// <summary>MQTT 5.0.</summary>
    Mqtt50 = 5,
}
