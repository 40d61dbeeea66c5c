using System.Buffers.Binary;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// The client's side of a WebSocket over another transport, after the upgrade: what was gathered leaves as one masked
/// binary frame, what comes is unmasked. No extension, no buffer while idle.
/// </summary>
internal sealed class WebSocketClientTransport : LayerTransport
{
    private const int MaximumControlBytes = 125;

    private long _payloadLeft;
    private uint _maskState;
    private bool _isCloseSent;

    /// <summary>Puts a WebSocket on <paramref name="inner"/>; the seed makes its masking keys.</summary>
    public WebSocketClientTransport(Transport inner, uint maskSeed)
        : base(inner) => _maskState = maskSeed | 1;

    /// <inheritdoc/>
    public override int OnReceived(ReadOnlySpan<byte> bytes)
    {
        int used = 0;
        while (used < bytes.Length && MayReceive)
        {
            int step = _payloadLeft > 0 ? TakePayload(bytes[used..]) : TakeHeader(bytes[used..]);
            if (step == 0)
            {
                break;
            }

            used += step;
        }

        return used;
    }

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
    protected override void SayGoodbye(TransportCloseReason reason) => SendClose(WebSocketCloseCode.Normal);

    private int TakePayload(ReadOnlySpan<byte> bytes)
    {
        int count = (int)Math.Min(_payloadLeft, bytes.Length);
        _payloadLeft -= count;
        Present(bytes[..count]);
        return count;
    }

    /// <summary>Takes a header, with its payload if it is a control frame; 0 when more bytes are needed.</summary>
    private int TakeHeader(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
        {
            return 0;
        }

        var opcode = (WebSocketOpcode)(bytes[0] & 0x0F);
        int shortLength = bytes[1] & 0x7F;
        int length = shortLength switch { 126 => 4, 127 => 10, _ => 2 };
        if ((bytes[0] & 0x70) != 0 || (bytes[1] & 0x80) != 0 || opcode == WebSocketOpcode.Text)
        {
            return Fail(bytes.Length);
        }

        if (bytes.Length < length)
        {
            return 0;
        }

        ulong payload = length switch
        {
            4 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            10 => BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]),
            _ => (ulong)shortLength,
        };
        if (((int)opcode & 8) == 0)
        {
            _payloadLeft = (long)Math.Min(payload, long.MaxValue);
            return length;
        }

        if (payload > MaximumControlBytes)
        {
            return Fail(bytes.Length);
        }

        int whole = length + (int)payload;
        if (bytes.Length < whole)
        {
            return 0;
        }

        TakeControl(opcode, bytes[length..whole]);
        return whole;
    }

    private void TakeControl(WebSocketOpcode opcode, ReadOnlySpan<byte> payload)
    {
        if (opcode == WebSocketOpcode.Ping)
        {
            SendFrame(WebSocketOpcode.Pong, payload);
        }
        else if (opcode == WebSocketOpcode.Close)
        {
            SendClose(WebSocketCloseCode.Normal);
            OnPeerEnded(TransportCloseReason.PeerClosed);
        }
    }

    private int Fail(int length)
    {
        SendClose(WebSocketCloseCode.ProtocolError);
        OnPeerEnded(TransportCloseReason.ProtocolError);
        return length;
    }

    private void SendClose(int code)
    {
        if (!_isCloseSent)
        {
            _isCloseSent = true;
            Span<byte> payload = stackalloc byte[2];
            BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)code);
            SendFrame(WebSocketOpcode.Close, payload);
        }
    }

    private void SendFrame(WebSocketOpcode opcode, ReadOnlySpan<byte> payload)
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
