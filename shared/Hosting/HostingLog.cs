using Microsoft.Extensions.Logging;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Log lines of listeners and transports: event ids 2000 to 2199.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(2000, LogLevel.Information, "Listening on {Address} ({Type}) as {Listener}")]
    public static partial void Listening(this ILogger logger, NetworkAddress address, string type, string listener);

    [LoggerMessage(2001, LogLevel.Information, "{Listener} accepts no more connections")]
    public static partial void StoppedAccepting(this ILogger logger, string listener);

    [LoggerMessage(2002, LogLevel.Warning, "{Listener} pauses accepting for {PauseMs} ms: {Error}. Raise the limit of open files (ulimit -n, LimitNOFILE=) or lower Listeners:n:MaximumConnections")]
    public static partial void AcceptPaused(this ILogger logger, string listener, int pauseMs, string error);

    [LoggerMessage(2003, LogLevel.Warning, "{Listener} pauses accepting for {PauseMs} ms: memory is down to Memory:ReservePercent of the limit. Give the process more memory, or lower Listeners:n:MaximumConnections and the limits of queues")]
    public static partial void AcceptPausedForMemory(this ILogger logger, string listener, int pauseMs);

    [LoggerMessage(2010, LogLevel.Warning, "{Listener} refused {Peer}: Listeners:n:MaximumConnections ({Limit}) are open")]
    public static partial void RefusedByLimit(this ILogger logger, string listener, NetworkAddress peer, int limit);

    [LoggerMessage(2011, LogLevel.Information, "{Listener} refused {Peer}: its address is denied by Listeners:n:Allow or Listeners:n:Deny")]
    public static partial void RefusedByAddress(this ILogger logger, string listener, NetworkAddress peer);

    [LoggerMessage(2020, LogLevel.Warning, "{Listener} refused {Peer}: no PROXY header, but Listeners:n:ProxyProtocol:Mode is required. In nginx set \"proxy_protocol on;\" in the stream server that passes here, or set the mode to optional")]
    public static partial void ProxyHeaderMissing(this ILogger logger, string listener, NetworkAddress peer);

    [LoggerMessage(2021, LogLevel.Warning, "{Listener} refused {Peer}: it sent a PROXY header but is not trusted. Add its address to Listeners:n:ProxyProtocol:TrustedAddresses, or remove \"proxy_protocol on;\" from its nginx stream server")]
    public static partial void ProxyHeaderUntrusted(this ILogger logger, string listener, NetworkAddress peer);

    [LoggerMessage(2022, LogLevel.Warning, "{Listener} refused {Peer}: {Error}. Check \"proxy_protocol on;\" in its nginx stream server, and that nothing between rewrites the first bytes (chained proxies need set_real_ip_from and one header only)")]
    public static partial void ProxyHeaderBroken(this ILogger logger, string listener, NetworkAddress peer, string error);

    [LoggerMessage(2030, LogLevel.Information, "{Listener}: TLS handshake with {Origin} failed: {Error}")]
    public static partial void TlsHandshakeFailed(this ILogger logger, string listener, ConnectionOrigin origin, string error);

    [LoggerMessage(2031, LogLevel.Warning, "{Listener}: TLS is served by .NET's SslStream, at about twice the memory a device, because OpenSSL cannot be called directly: {Error}. Listeners:n:Tls:UseOpenSsl false chooses it without this line")]
    public static partial void OpenSslNotUsed(this ILogger logger, string listener, string error);

    [LoggerMessage(2040, LogLevel.Information, "{Listener} refused the WebSocket request of {Origin} with {Status}: {Error}")]
    public static partial void WebSocketRefused(this ILogger logger, string listener, ConnectionOrigin origin, string status, string error);

    [LoggerMessage(2041, LogLevel.Warning, "{Listener} ignores X-Forwarded-For from {Peer}, which is not trusted. If it is your nginx, add its address to Listeners:n:WebSocket:ForwardedForTrustedAddresses")]
    public static partial void ForwardedForUntrusted(this ILogger logger, string listener, NetworkAddress peer);

    [LoggerMessage(2050, LogLevel.Error, "Fault on loop {Loop} in {Source}; contained, its connection is closed")]
    public static partial void LoopFault(this ILogger logger, Exception exception, string loop, string source);

    [LoggerMessage(2060, LogLevel.Information, "{Count} more lines of listeners about {Peer} were held back")]
    public static partial void HeldBack(this ILogger logger, long count, string peer);

    [LoggerMessage(2061, LogLevel.Information, "{Count} lines of listeners about other addresses were held back: more than {Addresses} addresses came within the window")]
    public static partial void HeldBackOthers(this ILogger logger, long count, int addresses);

    [LoggerMessage(2065, LogLevel.Information, "The process may have {Limit} bytes; nobody new is let in when less than {Percent}% of them are left")]
    public static partial void MemoryWatched(this ILogger logger, long limit, int percent);

    [LoggerMessage(2066, LogLevel.Warning, "Memory is {Level}: {Used} of {Limit} bytes are in use (Memory:ReservePercent, Memory:ShedPercent)")]
    public static partial void MemoryIsScarce(this ILogger logger, MemoryLevel level, long used, long limit);

    [LoggerMessage(2067, LogLevel.Information, "Memory is ample again: {Used} of {Limit} bytes are in use")]
    public static partial void MemoryIsAmple(this ILogger logger, long used, long limit);

    [LoggerMessage(2070, LogLevel.Warning, "Listener {Listener} at {Address} is open beyond this machine and asks nobody for a password: whoever reaches it is let in. Keep it on 127.0.0.1, fence it by a firewall or Listeners:n:Allow, or ask for certificates (Listeners:n:Tls:ClientCaPath)")]
    public static partial void OpenDoor(this ILogger logger, string listener, string address);

    [LoggerMessage(2071, LogLevel.Warning, "The management port {Address} is open beyond this machine and asks nobody for a password: it tells sessions and addresses to whoever reaches it. Keep it on 127.0.0.1 or in a network of its own")]
    public static partial void OpenManagementDoor(this ILogger logger, string address);
}
