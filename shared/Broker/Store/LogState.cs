using System.Buffers.Binary;
using System.Text;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// What a log remembers beside its messages, as it stands at the beginning of each segment: its terms, the numbers of
/// publish links, and shares. So retention does not forget them.
/// </summary>
/// <remarks>
/// <code>
///   terms     count (4), each: term (8), first ordinal (8)
///   producers count (4), each: name length (1), node, link (8), last number (8), term (8), offset (8)
///   shares    the rest: see ShareRecords
/// </code>
/// </remarks>
internal static class LogState
{
    private const int TermBytes = 16;
    private const int ProducerBytes = 33;

    public static byte[] Write(LogTerms terms, IReadOnlyCollection<LogProducer> producers, ReadOnlySpan<byte> shares)
    {
        int size = 8 + (terms.All.Count * TermBytes) + producers.Sum(producer => ProducerBytes + producer.Node.Length) + shares.Length;
        byte[] bytes = new byte[size];
        var writer = new StateWriter(bytes);
        writer.Int32(terms.All.Count);
        foreach ((ulong term, long first) in terms.All)
        {
            writer.UInt64(term);
            writer.UInt64((ulong)first);
        }

        writer.Int32(producers.Count);
        foreach (LogProducer producer in producers)
        {
            writer.Name(producer.Node);
            writer.UInt64(producer.Link);
            writer.UInt64(producer.LastNumber);
            writer.UInt64(producer.LastPosition.Term);
            writer.UInt64(producer.LastPosition.Offset);
        }

        shares.CopyTo(bytes.AsSpan(size - shares.Length));
        return bytes;
    }

    public static (LogTerms Terms, IReadOnlyList<LogProducer> Producers, byte[] Shares) Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new StateReader(bytes);
        var terms = new (ulong, long)[reader.Int32()];
        for (int i = 0; i < terms.Length; i++)
        {
            terms[i] = (reader.UInt64(), (long)reader.UInt64());
        }

        var producers = new LogProducer[reader.Int32()];
        for (int i = 0; i < producers.Length; i++)
        {
            var producer = new LogProducer(reader.Name(), reader.UInt64());
            ulong number = reader.UInt64();
            producer.Pass(number, new LogPosition(reader.UInt64(), reader.UInt64()));
            producers[i] = producer;
        }

        return (new LogTerms(terms), producers, reader.Rest.ToArray());
    }
}

/// <summary>Writes fields one behind the other.</summary>
internal ref struct StateWriter(Span<byte> target)
{
    private Span<byte> _rest = target;

    public void Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_rest, value);
        _rest = _rest[4..];
    }

    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_rest, value);
        _rest = _rest[8..];
    }

    /// <summary>ASCII of at most 255 letters.</summary>
    public void Name(string name)
    {
        _rest[0] = (byte)name.Length;
        Encoding.ASCII.GetBytes(name, _rest[1..]);
        _rest = _rest[(1 + name.Length)..];
    }
}

/// <summary>Reads fields one behind the other, of bytes whose checksum was right.</summary>
internal ref struct StateReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    public readonly bool IsEmpty => _rest.IsEmpty;

    /// <summary>What is left.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public int Int32()
    {
        int value = BinaryPrimitives.ReadInt32LittleEndian(_rest);
        _rest = _rest[4..];
        return value;
    }

    public ulong UInt64()
    {
        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(_rest);
        _rest = _rest[8..];
        return value;
    }

    public string Name() => Encoding.ASCII.GetString(NameBytes());

    public ReadOnlySpan<byte> NameBytes()
    {
        int length = _rest[0];
        ReadOnlySpan<byte> name = _rest.Slice(1, length);
        _rest = _rest[(1 + length)..];
        return name;
    }
}
