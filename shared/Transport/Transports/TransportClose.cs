namespace Trunkline.Transports;

/// <summary>How a connection is closed from this side.</summary>
public enum TransportClose
{
    /// <summary>Sends what is gathered, then FIN; bounded by the send timeout.</summary>
    Graceful,

    /// <summary>Drops what is gathered and resets the connection.</summary>
    Abort,
}
