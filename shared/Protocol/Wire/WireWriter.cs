using System.Buffers.Binary;

namespace Trunkline.Protocol;

/// <summary>A cursor that writes a packet into a span of measured size.</summary>
internal ref struct WireWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    /// <summary>The bytes written so far.</summary>
    public int Position { get; private set; }

    public void Byte(byte value) => _destination[Position++] = value;

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_destination[Position..], value);
        Position += sizeof(ushort);
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_destination[Position..], value);
        Position += sizeof(uint);
    }

    public void VariableInteger(uint value) => Position += VariableByteInteger.Write(_destination[Position..], value);

    /// <summary>Bytes as they are, without a length.</summary>
    public void Raw(ReadOnlySpan<byte> value)
    {
        value.CopyTo(_destination[Position..]);
        Position += value.Length;
    }

    /// <summary>Text or binary data: two bytes of length, then the bytes.</summary>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        UInt16((ushort)value.Length);
        Raw(value);
    }
}
