using System.Buffers.Binary;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// One side of a WebSocket over another transport, after the upgrade: binary frames carry the bytes in both directions,
/// MQTT packets may span and share them [MQTT-6.0.0-2], any other kind of data frame closes [MQTT-6.0.0-1]. No extension,
/// no compression, no buffer while idle. The sides differ in who masks: the client.
/// </summary>
internal abstract class WebSocketLayer : LayerTransport
{
    private readonly long _maximumFrameBytes;
    private readonly bool _isPeerMasking;
    private long _payloadLeft;
    private uint _mask;
    private byte _maskOffset;
    private bool _isMessageOpen;
    private bool _isFinalFrame;
    private bool _isCloseSent;

    /// <summary>Puts a WebSocket on <paramref name="inner"/>; every frame of the peer must be masked, or none.</summary>
    protected WebSocketLayer(Transport inner, bool isPeerMasking, long maximumFrameBytes)
        : base(inner)
    {
        _isPeerMasking = isPeerMasking;
        _maximumFrameBytes = maximumFrameBytes;
    }

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
    protected override void SayGoodbye(TransportCloseReason reason) => SendClose(reason switch
    {
        TransportCloseReason.LocalClose or TransportCloseReason.PeerClosed => WebSocketCloseCode.Normal,
        TransportCloseReason.LoopStopped => WebSocketCloseCode.GoingAway,
        TransportCloseReason.ProtocolError => WebSocketCloseCode.ProtocolError,
        _ => WebSocketCloseCode.ServerError,
    });

    /// <summary>Writes one frame whole.</summary>
    protected abstract void SendFrame(WebSocketOpcode opcode, ReadOnlySpan<byte> payload);

    private int TakePayload(ReadOnlySpan<byte> bytes)
    {
        int count = (int)Math.Min(Math.Min(_payloadLeft, bytes.Length), BufferPool.LargeBytes);
        _payloadLeft -= count;
        if (_payloadLeft == 0 && _isFinalFrame)
        {
            _isMessageOpen = false;
        }

        if (_mask == 0)
        {
            Present(bytes[..count]);
            return count;
        }

        BufferChunk plain = Loop.Buffers.Rent(count);
        WebSocketMask.Apply(bytes[..count], plain.Array, _mask, _maskOffset);
        _maskOffset = (byte)((_maskOffset + count) & 3);
        Present(plain.Array.AsSpan(0, count));
        Loop.Buffers.Return(plain);
        return count;
    }

    /// <summary>Takes a header, with its payload if it is a control frame; 0 when more bytes are needed or it failed.</summary>
    private int TakeHeader(ReadOnlySpan<byte> bytes)
    {
        if (!WebSocketFrameHeader.TryRead(bytes, _isPeerMasking, _maximumFrameBytes, out WebSocketFrameHeader header, out int closeCode))
        {
            return closeCode == 0 ? 0 : Fail(closeCode, bytes.Length);
        }

        if (header.IsControl)
        {
            int length = header.Length + (int)header.PayloadLength;
            if (bytes.Length < length)
            {
                return 0;
            }

            TakeControl(header, bytes[header.Length..length]);
            return length;
        }

        // [MQTT-6.0.0-1] MQTT travels in binary frames only.
        if (header.Opcode == WebSocketOpcode.Text)
        {
            return Fail(WebSocketCloseCode.Unsupported, bytes.Length);
        }

        // A continuation continues something, and nothing else begins meanwhile.
        if ((header.Opcode == WebSocketOpcode.Continuation) != _isMessageOpen)
        {
            return Fail(WebSocketCloseCode.ProtocolError, bytes.Length);
        }

        _payloadLeft = header.PayloadLength;
        _mask = header.Mask;
        _maskOffset = 0;
        _isFinalFrame = header.IsFinal;
        _isMessageOpen = !header.IsFinal || header.PayloadLength > 0;
        return header.Length;
    }

    private void TakeControl(in WebSocketFrameHeader header, ReadOnlySpan<byte> asSent)
    {
        Span<byte> payload = stackalloc byte[125];
        payload = payload[..asSent.Length];
        WebSocketMask.Apply(asSent, payload, header.Mask, 0);
        switch (header.Opcode)
        {
            case WebSocketOpcode.Ping when Inner.UnsentBytes <= Settings.HighWaterBytes:
                // A peer that pings and does not read gets no pong; it has bytes enough to read.
                SendFrame(WebSocketOpcode.Pong, payload);
                break;
            case WebSocketOpcode.Close:
                SendClose(payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(payload) : WebSocketCloseCode.Normal);
                OnPeerEnded(TransportCloseReason.PeerClosed);
                break;
            default:
                break;
        }
    }

    private int Fail(int closeCode, int length)
    {
        SendClose(closeCode);
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
}
