namespace Trunkline.Transports;

/// <summary>Why a connection ended.</summary>
public enum TransportCloseReason : byte
{
    /// <summary>Not closed.</summary>
    None,

    /// <summary>This side closed it.</summary>
    LocalClose,

    /// <summary>The peer sent its end (FIN, TLS close_notify, WebSocket close).</summary>
    PeerClosed,

    /// <summary>The peer reset it, or the network reported it gone.</summary>
    Reset,

    /// <summary>The peer took nothing for the whole send timeout.</summary>
    SendTimeout,

    /// <summary>More was written than <see cref="TransportSettings.MaximumUnsentBytes"/>.</summary>
    OutputLimit,

    /// <summary>The handler threw.</summary>
    HandlerFault,

    /// <summary>A layer below the handler was violated: TLS, WebSocket, PROXY protocol.</summary>
    ProtocolError,

    /// <summary>The header of a layer below the handler (PROXY protocol, TLS, HTTP) did not come in time.</summary>
    HeaderTimeout,

    /// <summary>Its loop stopped.</summary>
    LoopStopped,

    /// <summary>Another error of the operating system.</summary>
    Error,

    /// <summary>It was amid a large packet when memory was short.</summary>
    MemoryShort,

    /// <summary>What was unsent had lost its permission, or could not wait for one while closing.</summary>
    Withdrawn,
}
