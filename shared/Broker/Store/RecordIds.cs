namespace Trunkline.Broker;

/// <summary>The identities of a message as they stand in its record in a file, for recovery.</summary>
/// <remarks>
/// <code>
///   which (1): 1 by its link, 2 by another way, 3 both; each: name length (1), node, link (8), number (8)
/// </code>
/// </remarks>
internal static class RecordIds
{
    private const int IdBytes = 17;
    private const byte ByLink = 1;
    private const byte ByOtherWay = 2;

    public static int SizeOf(in LogRecord record)
    {
        int size = record.Producer is { } producer ? IdBytes + producer.Node.Length : 0;
        size += record.Id is { } id ? IdBytes + id.Node.Length : 0;
        return size == 0 ? 0 : size + 1;
    }

    public static void Write(Span<byte> target, in LogRecord record)
    {
        if (target.IsEmpty)
        {
            return;
        }

        target[0] = (byte)((record.Producer is null ? 0 : ByLink) | (record.Id is null ? 0 : ByOtherWay));
        var writer = new StateWriter(target[1..]);
        if (record.Producer is { } producer)
        {
            writer.Name(producer.Node);
            writer.UInt64(producer.Link);
            writer.UInt64(record.Number);
        }

        if (record.Id is { } id)
        {
            writer.Name(id.Node);
            writer.UInt64(id.Link);
            writer.UInt64(id.Number);
        }
    }

    /// <summary>Reads what stands there.</summary>
    public static (MessageId? ByLink, MessageId? ByOtherWay) Read(ReadOnlySpan<byte> extra)
    {
        if (extra.IsEmpty)
        {
            return default;
        }

        var reader = new StateReader(extra[1..]);
        MessageId? byLink = (extra[0] & ByLink) == 0 ? null : new MessageId(reader.Name(), reader.UInt64(), reader.UInt64());
        MessageId? byOtherWay = (extra[0] & ByOtherWay) == 0 ? null : new MessageId(reader.Name(), reader.UInt64(), reader.UInt64());
        return (byLink, byOtherWay);
    }
}
