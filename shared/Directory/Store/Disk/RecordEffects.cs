using System.Text;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Directory;

/// <summary>
/// What a step changed, as bytes, and back: a letter, then what it needs. Strings and byte strings carry their length.
/// <code>
/// H id header    F id name value    f id name    X id         a record: header, field, field gone, record gone
/// W owed value   w owed                                       a will that stands apart
/// D id member us d id member                                  due entries
/// C node bytes   c node             S shape      M slot map
/// </code>
/// A letter of a newer version is damage here: the file's schema number rises with each new one.
/// </summary>
internal sealed class RecordEffects : IDisposable
{
    // What a rare large step needed is given back after it.
    private const int KeptBytes = 1024 * 1024;

    private readonly MemoryStream _bytes = new();
    private readonly BinaryWriter _writer;

    internal RecordEffects() => _writer = new BinaryWriter(_bytes, Encoding.UTF8);

    internal bool IsEmpty => _bytes.Length == 0;

    internal int Length => (int)_bytes.Length;

    /// <summary>Valid until the next change.</summary>
    internal ReadOnlyMemory<byte> Bytes => _bytes.GetBuffer().AsMemory(0, (int)_bytes.Length);

    internal void Clear()
    {
        _bytes.SetLength(0);
        if (_bytes.Capacity > KeptBytes)
        {
            _bytes.Capacity = 0;
        }
    }

    public void Dispose() => _writer.Dispose();

    internal void Header(string id, MemoryHeader header)
    {
        Begin('H', id);
        _writer.Write(header.Epoch);
        _writer.Write(header.Node.Value);
        _writer.Write(header.AttachNumber);
        _writer.Write(header.Info);
        _writer.Write(header.Number);
        _writer.Write(header.ExpirySeconds);
        _writer.Write(header.WillDelaySeconds.HasValue);
        _writer.Write(header.WillDelaySeconds ?? 0);
        _writer.Write(header.WillEpoch);
        _writer.Write(header.LastNode.Value);
        Write(header.Checkpoint is null ? [] : PositionWire.Write(header.Checkpoint));
    }

    internal void Field(string id, string name, ReadOnlyMemory<byte> value)
    {
        Begin('F', id);
        _writer.Write(name);
        Write(value.Span);
    }

    internal void FieldGone(string id, string name)
    {
        Begin('f', id);
        _writer.Write(name);
    }

    internal void Gone(string id) => Begin('X', id);

    internal void Will(string owed, ReadOnlyMemory<byte>? will)
    {
        Begin(will.HasValue ? 'W' : 'w', owed);
        if (will is { } bytes)
        {
            Write(bytes.Span);
        }
    }

    internal void Due(string id, string member, long? us)
    {
        Begin(us.HasValue ? 'D' : 'd', id);
        _writer.Write(member);
        if (us is { } at)
        {
            _writer.Write(at);
        }
    }

    internal void Checkpoint(NodeId node, NodeCheckpoint? checkpoint)
    {
        Begin(checkpoint is null ? 'c' : 'C', node.ToString());
        if (checkpoint is not null)
        {
            Write(PositionWire.Write(checkpoint));
        }
    }

    internal void Shape(string shape) => Begin('S', shape);

    internal void Slots(SlotMap map)
    {
        Begin('M', "");
        Write(map.ToUtf8());
    }

    /// <summary>Does once more what the bytes say; false when they cannot be read.</summary>
    internal static bool TryApply(ArraySegment<byte> bytes, MemoryContents contents)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false), Encoding.UTF8);
        try
        {
            while (reader.BaseStream.Position < reader.BaseStream.Length)
            {
                if (!TryApplyOne(reader, contents))
                {
                    return false;
                }
            }

            return true;
        }
        catch (Exception exception) when (exception is EndOfStreamException or FormatException or ArgumentException or KeyNotFoundException)
        {
            return false;
        }
    }

    private static bool TryApplyOne(BinaryReader reader, MemoryContents contents)
    {
        MemoryRecords records = contents.Records;
        byte letter = reader.ReadByte();
        string id = reader.ReadString();
        switch ((char)letter)
        {
            case 'H':
                records.SetHeader(id, ReadHeader(reader));
                return true;
            case 'F':
                records.SetField(id, reader.ReadString(), Read(reader));
                return true;
            case 'f':
                records.DeleteField(id, reader.ReadString());
                return true;
            case 'X':
                records.Drop(id);
                return true;
            case 'W':
                records.SetWill(id, Read(reader));
                return true;
            case 'w':
                records.SetWill(id, null);
                return true;
            case 'D':
                records.SetDue(id, reader.ReadString(), reader.ReadInt64());
                return true;
            case 'd':
                records.SetDue(id, reader.ReadString(), null);
                return true;
            case 'C' when NodeId.TryParse(id, out NodeId node) && PositionWire.ReadCheckpoint(Read(reader)) is { } checkpoint:
                contents.SetCheckpoint(node, checkpoint);
                return true;
            case 'c' when NodeId.TryParse(id, out NodeId node):
                contents.SetCheckpoint(node, null);
                return true;
            case 'S':
                contents.SetShape(id);
                return true;
            case 'M':
                if (!SlotMap.TryParse(Read(reader), out SlotMap? map) || map is null)
                {
                    return false;
                }

                contents.SetSlots(map);
                return true;
            default:
                return false;
        }
    }

    private static MemoryHeader ReadHeader(BinaryReader reader)
    {
        var header = new MemoryHeader(reader.ReadInt64(), new NodeId(reader.ReadUInt64()), reader.ReadInt64(), reader.ReadString())
        {
            Number = reader.ReadInt64(),
            ExpirySeconds = reader.ReadUInt32(),
        };
        bool hasWill = reader.ReadBoolean();
        uint delay = reader.ReadUInt32();
        header = header with { WillDelaySeconds = hasWill ? delay : null, WillEpoch = reader.ReadInt64(), LastNode = new NodeId(reader.ReadUInt64()) };
        byte[] positions = Read(reader);
        return positions.Length > 0 && PositionWire.TryRead(positions, out LogPosition[] checkpoint) ? header with { Checkpoint = checkpoint } : header;
    }

    private static byte[] Read(BinaryReader reader)
    {
        int length = reader.ReadInt32();
        byte[] bytes = length < 0 ? throw new FormatException("negative length") : reader.ReadBytes(length);
        return bytes.Length == length ? bytes : throw new EndOfStreamException();
    }

    private void Begin(char letter, string id)
    {
        _writer.Write((byte)letter);
        _writer.Write(id);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _writer.Write(bytes.Length);
        _writer.Write(bytes);
    }
}
