using System.Buffers;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>The server's side of a WebSocket: what was gathered leaves as one plain frame.</summary>
internal sealed class WebSocketTransport : WebSocketLayer
{
    /// <summary>Puts a WebSocket on <paramref name="inner"/>, whose upgrade has been answered.</summary>
    public WebSocketTransport(Transport inner, long maximumFrameBytes)
        : base(inner, isPeerMasking: true, maximumFrameBytes)
    {
    }

    /// <inheritdoc/>
    protected override bool Encode()
    {
        // One frame for all that gathered in the turn, however many packets that are.
        Span<byte> header = Inner.Output.GetSpan(10);
        Inner.Output.Advance(WebSocketFrameHeader.Write(header, WebSocketOpcode.Binary, GatheredBytes));
        while (GatheredBytes > 0)
        {
            BufferChunk head = OutputHead!;
            Inner.Output.Write(head.Written);
            Sent(head.Length);
        }

        return true;
    }

    /// <inheritdoc/>
    protected override void SendFrame(WebSocketOpcode opcode, ReadOnlySpan<byte> payload)
    {
        Span<byte> frame = Inner.Output.GetSpan(10 + payload.Length);
        int length = WebSocketFrameHeader.Write(frame, opcode, payload.Length);
        payload.CopyTo(frame[length..]);
        Inner.Output.Advance(length + payload.Length);
    }
}
