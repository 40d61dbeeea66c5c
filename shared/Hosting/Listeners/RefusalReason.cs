namespace Trunkline.Hosting;

/// <summary>Why a connection was refused before MQTT; a label of a counter.</summary>
public enum RefusalReason
{
    /// <summary>The listener's <see cref="ListenerOptions.MaximumConnections"/> were reached.</summary>
    Limit,

    /// <summary>All but <see cref="ListenerOptions.DescriptorReserve"/> of the process's descriptors are in use.</summary>
    Descriptors,

    /// <summary>The process's memory is down to Memory:ReservePercent.</summary>
    Memory,

    /// <summary>Denied, or not allowed, by address.</summary>
    Address,

    /// <summary>A PROXY header that was missing, untrusted or broken.</summary>
    ProxyHeader,

    /// <summary>The first bytes, the TLS handshake or the HTTP request did not come in time.</summary>
    HeaderTimeout,

    /// <summary>The TLS handshake failed.</summary>
    Tls,

    /// <summary>The HTTP request was not one for MQTT over WebSocket.</summary>
    WebSocket,

    /// <summary>The acceptor failed.</summary>
    Fault,
}
