namespace Trunkline.Hosting;

/// <summary>What a listener speaks below MQTT.</summary>
public enum ListenerType
{
    /// <summary>MQTT over TCP.</summary>
    Tcp,

    /// <summary>MQTT over TLS.</summary>
    Tls,

    /// <summary>MQTT over WebSocket.</summary>
    Ws,

    /// <summary>MQTT over WebSocket over TLS.</summary>
    Wss,
}
