namespace Trunkline.Transports;

/// <summary>What a proxy in front, TLS or HTTP told about a connection.</summary>
public sealed record ConnectionOriginDetails
{
    /// <summary>The proxy in front that spoke for the device; none without one.</summary>
    public NetworkAddress Peer { get; init; }

    /// <summary>The address the device had connected to, from the PROXY header; none without one.</summary>
    public NetworkAddress Destination { get; init; }

    /// <summary>TLS version, e.g. "Tls13"; null without TLS here.</summary>
    public string? TlsVersion { get; init; }

    /// <summary>TLS cipher suite.</summary>
    public string? TlsCipher { get; init; }

    /// <summary>Server name the client asked for (SNI).</summary>
    public string? ServerName { get; init; }

    /// <summary>Subject of the client's verified certificate; null without one.</summary>
    public string? ClientCertificateSubject { get; init; }

    /// <summary>SHA-256 thumbprint of the client's verified certificate, hexadecimal; null without one.</summary>
    public string? ClientCertificateThumbprint { get; init; }

    /// <summary>WebSocket subprotocol chosen; null without WebSocket.</summary>
    public string? WebSocketProtocol { get; init; }
}
