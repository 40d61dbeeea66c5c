using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>The client's side of a WebSocket: what was gathered leaves as one masked frame.</summary>
internal sealed class WebSocketClientTransport : WebSocketLayer
{
    private uint _maskState;

    /// <summary>Puts a WebSocket on <paramref name="inner"/>, whose upgrade was answered; the seed makes its masking keys.</summary>
    public WebSocketClientTransport(Transport inner, uint maskSeed)
        : base(inner, isPeerMasking: false, long.MaxValue) => _maskState = maskSeed | 1;

    /// <inheritdoc/>
    protected override bool Encode()
    {
        uint mask = NextMask();
        WriteHeader(WebSocketOpcode.Binary, GatheredBytes, mask);
        for (int offset = 0; GatheredBytes > 0;)
        {
            BufferChunk head = OutputHead!;
            int length = head.Length;
            WebSocketMask.Apply(head.Written, Inner.Output.GetSpan(length), mask, offset & 3);
            Inner.Output.Advance(length);
            offset += length;
            Sent(length);
        }

        return true;
    }

    /// <inheritdoc/>
    protected override void SendFrame(WebSocketOpcode opcode, ReadOnlySpan<byte> payload)
    {
        uint mask = NextMask();
        WriteHeader(opcode, payload.Length, mask);
        WebSocketMask.Apply(payload, Inner.Output.GetSpan(payload.Length + 1), mask, 0);
        Inner.Output.Advance(payload.Length);
    }

    private void WriteHeader(WebSocketOpcode opcode, int payloadLength, uint mask)
    {
        Span<byte> header = Inner.Output.GetSpan(WebSocketFrameHeader.MaximumLength);
        int length = WebSocketFrameHeader.Write(header, opcode, payloadLength);
        header[1] |= 0x80;
        BitConverter.TryWriteBytes(header[length..], mask);
        Inner.Output.Advance(length + sizeof(uint));
    }

    /// <summary>The next key: xorshift, never zero.</summary>
    private uint NextMask()
    {
        uint x = _maskState;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        return _maskState = x;
    }
}
