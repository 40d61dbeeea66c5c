namespace Trunkline.Hosting.Tests.Support;

/// <summary>Every kind of transport that the same tests run over.</summary>
public enum TransportKind
{
    /// <summary>TCP on epoll loops.</summary>
    Tcp,

    /// <summary>TCP by .NET's sockets on thread loops.</summary>
    PortableTcp,

    /// <summary>TLS by OpenSSL on epoll.</summary>
    Tls,

    /// <summary>TLS by .NET's SslStream on epoll.</summary>
    SslStream,

    /// <summary>WebSocket on epoll.</summary>
    Ws,

    /// <summary>WebSocket over TLS on epoll.</summary>
    Wss,

    /// <summary>WebSocket over TLS by SslStream and .NET's sockets.</summary>
    PortableWss,
}
