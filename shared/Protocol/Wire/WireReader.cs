using System.Buffers.Binary;

namespace Trunkline.Protocol;

/// <summary>A cursor over a packet's body. A read that fails leaves the error; the caller stops there.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    /// <summary>What is not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>True when all is read.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    public bool TryReadByte(out byte value, out ProtocolError error)
    {
        if (_rest.IsEmpty)
        {
            value = 0;
            error = ProtocolErrors.FieldPastEnd;
            return false;
        }

        value = _rest[0];
        _rest = _rest[1..];
        error = default;
        return true;
    }

    public bool TryReadUInt16(out ushort value, out ProtocolError error)
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(_rest, out value))
        {
            error = ProtocolErrors.FieldPastEnd;
            return false;
        }

        _rest = _rest[sizeof(ushort)..];
        error = default;
        return true;
    }

    /// <summary>Reads a packet identifier, which is never zero.</summary>
    public bool TryReadPacketId(out ushort value, out ProtocolError error)
    {
        if (!TryReadUInt16(out value, out error))
        {
            return false;
        }

        if (value == 0)
        {
            error = ProtocolErrors.PacketIdZero;
            return false;
        }

        return true;
    }

    /// <summary>Reads binary data: two bytes of length, then the bytes.</summary>
    public bool TryReadBytes(out ReadOnlySpan<byte> value, out ProtocolError error)
    {
        var rest = _rest;
        if (rest.Length >= sizeof(ushort))
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(rest);
            if (rest.Length - sizeof(ushort) >= length)
            {
                value = rest.Slice(sizeof(ushort), length);
                _rest = rest[(sizeof(ushort) + length)..];
                error = default;
                return true;
            }
        }

        value = default;
        error = ProtocolErrors.FieldPastEnd;
        return false;
    }

    /// <summary>Reads a UTF-8 string and checks it.</summary>
    public bool TryReadText(out ReadOnlySpan<byte> value, out ProtocolError error)
    {
        if (!TryReadBytes(out value, out error))
        {
            return false;
        }

        if (!Utf8.IsValidMqttString(value))
        {
            error = ProtocolErrors.TextMalformed;
            return false;
        }

        return true;
    }

    /// <summary>Reads the length of a property block and the block, whose contents are not checked here.</summary>
    public bool TryReadPropertyBlock(out ReadOnlySpan<byte> block, out ProtocolError error)
    {
        block = default;
        if (!VariableByteInteger.TryRead(_rest, out var length, out var size))
        {
            error = ProtocolErrors.VariableByteIntegerMalformed;
            return false;
        }

        if (_rest.Length - size < length)
        {
            error = ProtocolErrors.FieldPastEnd;
            return false;
        }

        block = _rest.Slice(size, (int)length);
        _rest = _rest[(size + (int)length)..];
        error = default;
        return true;
    }

    /// <summary>True at the end of the packet; bytes after the last field are an error.</summary>
    public readonly bool IsComplete(out ProtocolError error)
    {
        error = _rest.IsEmpty ? default : ProtocolErrors.BytesLeftOver;
        return _rest.IsEmpty;
    }
}
