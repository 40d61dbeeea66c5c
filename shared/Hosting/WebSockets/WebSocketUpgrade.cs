using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Owns a connection until its HTTP request is whole, answers it, and puts a WebSocket on it.</summary>
internal sealed class WebSocketUpgrade : LoopTimer, ITransportHandler
{
    private const string AcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    private readonly Listener _listener;
    private readonly Transport _transport;

    private WebSocketUpgrade(Listener listener, Transport transport)
    {
        _listener = listener;
        _transport = transport;
    }

    private WebSocketOptions Options => _listener.Options.WebSocket;

    /// <summary>Begins to wait for the request; on the transport's loop.</summary>
    public static void Begin(Listener listener, Transport transport)
    {
        var upgrade = new WebSocketUpgrade(listener, transport);
        transport.Handler = upgrade;
        transport.Loop.Timers.Schedule(upgrade, listener.Within(transport, listener.Options.WebSocket.HeaderDeadline));
    }

    /// <inheritdoc/>
    public int OnReceived(ReadOnlySpan<byte> bytes)
    {
        int end = bytes[..Math.Min(bytes.Length, Options.MaximumHeaderBytes)].IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return bytes.Length < Options.MaximumHeaderBytes
                ? 0
                : Refuse(bytes, "431 Request Header Fields Too Large", $"the header is longer than {Options.MaximumHeaderBytes} bytes (Listeners:n:WebSocket:MaximumHeaderBytes)");
        }

        _transport.Loop.Timers.Cancel(this);
        var request = UpgradeRequest.TryParse(bytes[..(end + 4)]);
        if (request is null)
        {
            return Refuse(bytes, "400 Bad Request", "it is not an HTTP/1.1 request");
        }

        if (request.Method != "GET" || request.Path != Options.Path)
        {
            return Refuse(bytes, "404 Not Found", $"MQTT is at GET {Options.Path}, not at {request.Method} {Printable(request.Path)}");
        }

        string? key = request.Single("Sec-WebSocket-Key");
        if (!request.HasElement("Connection", "Upgrade") || !request.HasElement("Upgrade", "websocket")
            || request.Single("Sec-WebSocket-Version") != "13" || key is null || !IsKey(key) || request.Single("Host") is null)
        {
            return Refuse(bytes, "426 Upgrade Required", "it asks for no WebSocket of version 13. In nginx set \"proxy_http_version 1.1;\" and pass Upgrade and Connection");
        }

        // [MQTT-6.0.0-3] A client offers "mqtt"; version 3.1 had a name of its own.
        string? protocol = request.Elements("Sec-WebSocket-Protocol").FirstOrDefault(name => name is "mqtt" or "mqttv3.1");
        if (protocol is null)
        {
            return Refuse(bytes, "400 Bad Request", "it offers neither subprotocol mqtt nor mqttv3.1");
        }

        if (!TryDescribeOrigin(request, protocol))
        {
            return Refuse(bytes, "400 Bad Request", "its X-Forwarded-For holds something else than addresses. In nginx set \"proxy_set_header X-Forwarded-For $remote_addr;\"");
        }

        if (!_listener.MayConnect(_transport.Remote))
        {
            Answer("403 Forbidden", "its address may not connect");
            _listener.Refuse(_transport, RefusalReason.Address, TransportClose.Graceful);
            return bytes.Length;
        }

        // [MQTT-6.0.0-4] The server names the subprotocol it chose.
        Send($"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {Accept(key)}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n");
        var webSocket = new WebSocketTransport(_transport, Options.MaximumFrameBytes);
        _listener.HandOver(webSocket);
        return end + 4;
    }

    /// <inheritdoc/>
    public void OnWritable()
    {
    }

    /// <inheritdoc/>
    public void OnClosed(TransportCloseReason reason) => _transport.Loop.Timers.Cancel(this);

    /// <inheritdoc/>
    protected override void OnDue() => _listener.Refuse(_transport, RefusalReason.HeaderTimeout);

#pragma warning disable CA5350 // RFC 6455 fixes SHA-1 here; it proves that this is a WebSocket server and protects nothing.
    private static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + AcceptGuid)));
#pragma warning restore CA5350

    private static bool IsKey(string key)
    {
        Span<byte> bytes = stackalloc byte[32];
        return key.Length == 24 && Convert.TryFromBase64String(key, bytes, out int length) && length == 16;
    }

    private static string Printable(string text) =>
        new([.. text.Take(100).Select(c => char.IsControl(c) ? '?' : c)]);

    private bool TryDescribeOrigin(UpgradeRequest request, string protocol)
    {
        NetworkAddress peer = _transport.Remote;
        List<string> forwarded = request.Elements("X-Forwarded-For");
        if (forwarded.Count > 0 && !_listener.ForwardedForTrusted.Contains(peer))
        {
            _listener.LogForwardedForUntrusted(peer);
            forwarded.Clear();
        }

        if (!ForwardedFor.TryFind(forwarded, _listener.ForwardedForTrusted, peer, out NetworkAddress client))
        {
            return false;
        }

        ConnectionOriginDetails details = (_transport.Origin.Details ?? new ConnectionOriginDetails()) with { WebSocketProtocol = protocol };
        if (client != peer)
        {
            details = details with { Peer = peer };
        }

        _transport.Origin = new ConnectionOrigin(_listener.Identity, client, details);
        return true;
    }

    private int Refuse(ReadOnlySpan<byte> bytes, string status, string error)
    {
        _transport.Loop.Timers.Cancel(this);
        Answer(status, error);
        _listener.RefuseWebSocket(_transport, status, error);
        return bytes.Length;
    }

    private void Answer(string status, string error)
    {
        string body = $"Refused: {error}.\n";
        Send($"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nSec-WebSocket-Version: 13\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
    }

    private void Send(string text) => _transport.Output.Write(Encoding.UTF8.GetBytes(text));
}
