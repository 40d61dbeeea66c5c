using System.Net.WebSockets;
using System.Text;

namespace Trunkline.Hosting.Tests.Support;

/// <summary>The client's side of a WebSocket as a stream of bytes.</summary>
internal sealed class WebSocketStream(WebSocket webSocket) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public static async Task<string> HandshakeAsync(Stream stream, string headers = "Sec-WebSocket-Protocol: mqtt\r\n", string path = "/mqtt")
    {
        string request = $"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
            + $"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        return await ReadResponseAsync(stream);
    }

    public static async Task<string> ReadResponseAsync(Stream stream)
    {
        var response = new StringBuilder();
        byte[] one = new byte[1];
        while (!response.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal)
            && await stream.ReadAsync(one).AsTask().WaitAsync(Deadline.Long) == 1)
        {
            response.Append((char)one[0]);
        }

        return response.ToString();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ValueWebSocketReceiveResult result = await webSocket.ReceiveAsync(buffer, cancellationToken);
        return result.MessageType == WebSocketMessageType.Close ? 0 : result.Count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        await webSocket.SendAsync(buffer, WebSocketMessageType.Binary, true, cancellationToken);

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        webSocket.Dispose();
        base.Dispose(disposing);
    }
}
