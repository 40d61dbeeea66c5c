using System.Buffers;

namespace Trunkline.Sessions;

/// <summary>Writes the values of one stored field. Numbers have seven bits a byte, lowest first (LEB128); bytes follow their length.</summary>
internal ref struct StateWriter(ArrayBufferWriter<byte> output)
{
    private readonly ArrayBufferWriter<byte> _output = output;

    public readonly void Byte(byte value)
    {
        _output.GetSpan(1)[0] = value;
        _output.Advance(1);
    }

    public readonly void Number(ulong value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }

        Byte((byte)value);
    }

    public readonly void Bytes(ReadOnlySpan<byte> bytes)
    {
        Number((ulong)bytes.Length);
        _output.Write(bytes);
    }

    /// <summary>A group or -1, and a position.</summary>
    public readonly void Place(int group, LogPosition position)
    {
        Number((ulong)(group + 1));
        Number(position.Term);
        Number(position.Offset);
    }

    public readonly void Positions(IReadOnlyList<GroupPosition> positions)
    {
        Number((ulong)positions.Count);
        foreach (GroupPosition position in positions)
        {
            Place(position.Group, position.Position);
        }
    }
}
