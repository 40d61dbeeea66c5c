using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Trunkline.Sessions;

namespace Trunkline.Directory;

/// <summary>
/// Positions and checkpoints as they are stored, big-endian:
/// <code>
/// positions    version 1 | count u16 | count x (term u64, offset u64)
/// checkpoint   version 1 | attach number u64 | positions | laggards u16 | each: client id u16 + UTF-8, positions
///              | leaving u8 (1 while the node sends its devices away) | number u64
/// </code>
/// What cannot be read is a value, not an exception; bytes after the end belong to a newer version.
/// </summary>
internal static class PositionWire
{
    private const byte Version = 1;

    internal static byte[] Write(IReadOnlyList<LogPosition> positions)
    {
        byte[] bytes = new byte[3 + 16 * positions.Count];
        Put(bytes, positions);
        return bytes;
    }

    /// <summary>Whether a newer version wrote it: not to be read, and not to be thrown away.</summary>
    internal static bool IsNewer(ReadOnlySpan<byte> bytes) => !bytes.IsEmpty && bytes[0] > Version;

    internal static bool TryRead(ReadOnlySpan<byte> bytes, out LogPosition[] positions) => TryTake(ref bytes, out positions);

    internal static byte[] Write(NodeCheckpoint checkpoint)
    {
        var writer = new ArrayBufferWriter<byte>(64);
        Span<byte> head = writer.GetSpan(9);
        head[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(head[1..], checkpoint.AttachNumber);
        writer.Advance(9);
        PutTo(writer, checkpoint.Positions);
        BinaryPrimitives.WriteUInt16BigEndian(writer.GetSpan(2), (ushort)checkpoint.Laggards.Count);
        writer.Advance(2);
        foreach ((string clientId, IReadOnlyList<LogPosition> positions) in checkpoint.Laggards)
        {
            int length = Encoding.UTF8.GetByteCount(clientId);
            Span<byte> id = writer.GetSpan(2 + length);
            BinaryPrimitives.WriteUInt16BigEndian(id, (ushort)length);
            Encoding.UTF8.GetBytes(clientId, id[2..]);
            writer.Advance(2 + length);
            PutTo(writer, positions);
        }

        if (checkpoint.IsLeaving || checkpoint.Number > 0)
        {
            writer.GetSpan(1)[0] = checkpoint.IsLeaving ? (byte)1 : (byte)0;
            writer.Advance(1);
        }

        // At the very end, where the script compares it.
        if (checkpoint.Number > 0)
        {
            BinaryPrimitives.WriteInt64BigEndian(writer.GetSpan(sizeof(long)), checkpoint.Number);
            writer.Advance(sizeof(long));
        }

        return writer.WrittenSpan.ToArray();
    }

    internal static NodeCheckpoint? ReadCheckpoint(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 9 || bytes[0] != Version)
        {
            return null;
        }

        long attachNumber = BinaryPrimitives.ReadInt64BigEndian(bytes[1..]);
        bytes = bytes[9..];
        if (!TryTake(ref bytes, out LogPosition[] positions) || bytes.Length < 2)
        {
            return null;
        }

        var laggards = new (string, IReadOnlyList<LogPosition>)[BinaryPrimitives.ReadUInt16BigEndian(bytes)];
        bytes = bytes[2..];
        for (int i = 0; i < laggards.Length; i++)
        {
            if (bytes.Length < 2)
            {
                return null;
            }

            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes);
            if (bytes.Length < 2 + length)
            {
                return null;
            }

            string clientId = Encoding.UTF8.GetString(bytes.Slice(2, length));
            bytes = bytes[(2 + length)..];
            if (!TryTake(ref bytes, out LogPosition[] own))
            {
                return null;
            }

            laggards[i] = (clientId, own);
        }

        return new(attachNumber, positions, laggards)
        {
            IsLeaving = bytes.Length > 0 && bytes[0] == 1,
            Number = bytes.Length > sizeof(long) ? BinaryPrimitives.ReadInt64BigEndian(bytes[1..]) : 0,
        };
    }

    private static void PutTo(ArrayBufferWriter<byte> writer, IReadOnlyList<LogPosition> positions)
    {
        int length = 3 + 16 * positions.Count;
        Put(writer.GetSpan(length), positions);
        writer.Advance(length);
    }

    private static void Put(Span<byte> into, IReadOnlyList<LogPosition> positions)
    {
        into[0] = Version;
        BinaryPrimitives.WriteUInt16BigEndian(into[1..], (ushort)positions.Count);
        for (int i = 0; i < positions.Count; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(into[(3 + 16 * i)..], positions[i].Term);
            BinaryPrimitives.WriteUInt64BigEndian(into[(11 + 16 * i)..], positions[i].Offset);
        }
    }

    private static bool TryTake(ref ReadOnlySpan<byte> bytes, out LogPosition[] positions)
    {
        positions = [];
        if (bytes.Length < 3 || bytes[0] != Version)
        {
            return false;
        }

        int count = BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]);
        if (bytes.Length < 3 + 16 * count)
        {
            return false;
        }

        positions = new LogPosition[count];
        for (int i = 0; i < count; i++)
        {
            positions[i] = new(
                BinaryPrimitives.ReadUInt64BigEndian(bytes[(3 + 16 * i)..]), BinaryPrimitives.ReadUInt64BigEndian(bytes[(11 + 16 * i)..]));
        }

        bytes = bytes[(3 + 16 * count)..];
        return true;
    }
}
