using System.Buffers.Binary;

namespace Trunkline.Hosting;

/// <summary>Header of a frame, as RFC 6455 draws it; a client's frames are masked, a server's have no key.</summary>
/// <remarks>
/// <code>
/// | FIN RSV1-3 opcode(4) | MASK length(7) | length 16 or 64 if 126 or 127 | masking key (4) | payload
/// </code>
/// </remarks>
internal readonly record struct WebSocketFrameHeader(bool IsFinal, WebSocketOpcode Opcode, long PayloadLength, uint Mask, int Length)
{
    /// <summary>The longest header in bytes.</summary>
    public const int MaximumLength = 14;

    /// <summary>Whether it is a close, ping or pong.</summary>
    public bool IsControl => ((int)Opcode & 8) != 0;

    /// <summary>Reads a header; false with <paramref name="closeCode"/> 0: too few bytes, otherwise the code to close with.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, bool isMasked, long maximumPayload, out WebSocketFrameHeader header, out int closeCode)
    {
        header = default;
        closeCode = 0;
        if (bytes.Length < 2)
        {
            return false;
        }

        var opcode = (WebSocketOpcode)(bytes[0] & 0x0F);
        bool isFinal = (bytes[0] & 0x80) != 0;
        int shortLength = bytes[1] & 0x7F;
        bool isControl = (bytes[0] & 8) != 0;

        // Reserved bits without an extension, an unmasked client or a masked server, an unknown opcode, a control frame in pieces or too long.
        if ((bytes[0] & 0x70) != 0 || ((bytes[1] & 0x80) != 0) != isMasked || !Enum.IsDefined(opcode) || (isControl && (!isFinal || shortLength > 125)))
        {
            closeCode = WebSocketCloseCode.ProtocolError;
            return false;
        }

        int extended = shortLength switch { 126 => 2, 127 => 8, _ => 0 };
        int length = 2 + extended + (isMasked ? sizeof(uint) : 0);
        if (bytes.Length < length)
        {
            return false;
        }

        ulong payload = extended switch
        {
            2 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            8 => BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]),
            _ => (ulong)shortLength,
        };
        if (payload > (ulong)maximumPayload)
        {
            closeCode = payload > long.MaxValue ? WebSocketCloseCode.ProtocolError : WebSocketCloseCode.TooBig;
            return false;
        }

        // The key stays in memory order: the payload is unmasked by its bytes. A key of 0 changes nothing, as no key does.
        uint mask = isMasked ? BitConverter.ToUInt32(bytes.Slice(length - sizeof(uint), sizeof(uint))) : 0;
        header = new WebSocketFrameHeader(isFinal, opcode, (long)payload, mask, length);
        return true;
    }

    /// <summary>Writes a server's header (unmasked, final) and returns its length; at most 10 bytes.</summary>
    public static int Write(Span<byte> destination, WebSocketOpcode opcode, int payloadLength)
    {
        destination[0] = (byte)(0x80 | (int)opcode);
        if (payloadLength < 126)
        {
            destination[1] = (byte)payloadLength;
            return 2;
        }

        if (payloadLength <= ushort.MaxValue)
        {
            destination[1] = 126;
            BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)payloadLength);
            return 4;
        }

        destination[1] = 127;
        BinaryPrimitives.WriteUInt64BigEndian(destination[2..], (ulong)payloadLength);
        return 10;
    }
}
