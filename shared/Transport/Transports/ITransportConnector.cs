namespace Trunkline.Transports;

/// <summary>Dials one address: TCP, TLS or memory. Any thread may call it.</summary>
public interface ITransportConnector
{
    /// <summary>The address in words, for logs.</summary>
    string Address { get; }

    /// <summary>Dials; exactly one of the attempt's two methods is called, later, on <paramref name="loop"/>, within the connector's timeout.</summary>
    void Connect(Loop loop, IConnectAttempt attempt);
}
