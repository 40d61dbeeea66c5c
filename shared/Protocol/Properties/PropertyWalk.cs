using System.Buffers.Binary;

namespace Trunkline.Protocol;

/// <summary>Steps over the properties of a block that was validated before; stops quietly at bytes that were not.</summary>
internal static class PropertyWalk
{
    /// <summary>The size of the property at the start of <paramref name="block"/>, identifier included; 0 where there is none.</summary>
    public static int SizeOfFirst(ReadOnlySpan<byte> block)
    {
        if (block.IsEmpty)
        {
            return 0;
        }

        var size = PropertyTable.KindOf(block[0]) switch
        {
            PropertyKind.Byte => 2,
            PropertyKind.UInt16 => 3,
            PropertyKind.UInt32 => 5,
            PropertyKind.VariableInteger => VariableByteInteger.TryRead(block[1..], out _, out var length) ? 1 + length : 0,
            PropertyKind.Text or PropertyKind.Binary => EndOfData(block, 1),
            PropertyKind.TextPair => EndOfData(block, EndOfData(block, 1)),
            PropertyKind.Unknown => 0,
            _ => 0,
        };
        return size <= block.Length ? size : 0;
    }

    private static int EndOfData(ReadOnlySpan<byte> block, int start)
    {
        if (start == 0 || block.Length - start < sizeof(ushort))
        {
            return 0;
        }

        var end = start + sizeof(ushort) + BinaryPrimitives.ReadUInt16BigEndian(block[start..]);
        return end <= block.Length ? end : 0;
    }
}
