using System.Buffers;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>Pages of the log for <c>$trunkline/log</c>, filtered.</summary>
internal sealed class LogPages(BrokerState state)
{
    /// <summary>A sentence when the request lacks something.</summary>
    public static string Check(RequestText text) =>
        text.From is null ? "The request for the log needs a line 'from p<term>:<offset>'."
        : text.Filters.Count == 0 ? "The request for the log needs a line 'filter <filter>'."
        : "";

    /// <summary>
    /// Writes a page and returns the fields of its reply; null when its first record is on its way from disk, and nothing
    /// can be said yet.
    /// </summary>
    public byte[]? Write(RequestText text, ArrayBufferWriter<byte> page, int bytes, int limit)
    {
        LogCursor cursor = state.Log.Seek(text.From!.Value, out bool mayHaveLost);
        TopicsWanted? wanted = text.Wanted(state.Options.TenantLevels);
        bool isMore = true;
        bool isPending = false;
        for (int left = state.Options.ReadAheadRecords; left > 0 && page.WrittenCount < bytes; left--)
        {
            if (wanted is not null && !state.Log.Skip(ref cursor, wanted))
            {
                break;
            }

            LogCursor before = cursor;
            LogReading reading = state.Log.TryRead(ref cursor, out LogRecord record);
            if (reading == LogReading.Lost)
            {
                mayHaveLost |= wanted?.MayConcern(record.LostOf) ?? true;
                continue;
            }

            if (reading != LogReading.Record || record.Position > state.Dispatched)
            {
                cursor = before;
                isMore = isPending = reading == LogReading.Pending;
                break;
            }

            if (!IsWanted(text, record))
            {
                continue;
            }

            if (!TryWrite(record, page, limit, text.IsAged(record, state.NowMs)))
            {
                if (page.WrittenCount > 0)
                {
                    cursor = before;
                    break;
                }

                state.Counters.Add(BrokerCounter.LinkDroppedTooLarge);
            }
        }

        if (isPending && page.WrittenCount == 0 && !mayHaveLost && cursor.Position <= text.From.Value)
        {
            return null;
        }

        var fields = new LinkText(stackalloc byte[LinkText.MaximumBytes]);

        // At the end of the log its own position counts: a term that began without a message lies above the last record.
        fields.Position(isMore || cursor.Position > state.Dispatched ? cursor.Position : state.Dispatched);
        if (isMore)
        {
            fields.Number('c', 1);
            fields.Number('l', (ulong)long.Max(0, Behind(cursor)));
        }

        if (mayHaveLost)
        {
            fields.Text('e', "lost"u8);
        }

        return fields.Value.ToArray();
    }

    /// <summary>The fields of an answer that says nothing yet: everything asked for is still to come.</summary>
    public byte[] Nothing(RequestText text)
    {
        var fields = new LinkText(stackalloc byte[LinkText.MaximumBytes]);
        LogPosition from = text.From!.Value;
        fields.Position(from);
        fields.Number('c', 1);
        fields.Number('l', text.At.Count > 0 ? (ulong)text.At.Count : (ulong)long.Max(1, Behind(state.Log.Seek(from, out _))));
        return fields.Value.ToArray();
    }

    /// <summary>
    /// Writes the messages that stand at the positions asked for, and returns the fields of the reply: everything up to its
    /// position was looked for. One that is not there is passed over. Null when the first one is on its way from disk.
    /// </summary>
    public byte[]? WriteAt(RequestText text, ArrayBufferWriter<byte> page, int bytes, int limit)
    {
        LogPosition upTo = text.From!.Value;
        LogCursor cursor = default;
        int done = 0;
        for (; done < text.At.Count && page.WrittenCount < bytes; done++)
        {
            LogPosition at = text.At[done];
            if (at > upTo && !TryWriteAt(text, at, ref cursor, page, limit))
            {
                break;
            }

            upTo = at > upTo ? at : upTo;
        }

        if (done == 0)
        {
            return null;
        }

        var fields = new LinkText(stackalloc byte[LinkText.MaximumBytes]);
        fields.Position(upTo);
        if (done < text.At.Count)
        {
            fields.Number('c', 1);
            fields.Number('l', (ulong)(text.At.Count - done));
        }

        return fields.Value.ToArray();
    }

    /// <summary>False when it comes with a later page: it has to be read from disk first, or this one is full.</summary>
    private bool TryWriteAt(RequestText text, LogPosition at, ref LogCursor cursor, ArrayBufferWriter<byte> page, int limit)
    {
        if (cursor.Position != at.Before)
        {
            cursor = state.Log.Seek(at.Before, out _);
        }

        while (true)
        {
            LogReading reading = state.Log.TryRead(ref cursor, out LogRecord record);
            if (reading == LogReading.Lost && cursor.Position < at)
            {
                continue;
            }

            if (reading != LogReading.Record || record.Position != at || at > state.Dispatched || !IsWanted(text, record))
            {
                return reading != LogReading.Pending;
            }

            if (TryWrite(record, page, limit, isAged: false))
            {
                return true;
            }

            if (page.WrittenCount == 0)
            {
                state.Counters.Add(BrokerCounter.LinkDroppedTooLarge);
                return true;
            }

            return false;
        }
    }

    /// <summary>Messages from a cursor to what everybody was given.</summary>
    private long Behind(in LogCursor cursor) => state.Log.Seek(state.Dispatched, out _).NextOrdinal - cursor.NextOrdinal;

    private bool IsWanted(RequestText text, in LogRecord record)
    {
        if (record.IsForSharesOnly || record.IsExpired(state.NowMs))
        {
            return false;
        }

        return text.Matches(record.Topic);
    }

    /// <summary>One that is too old goes without what it says.</summary>
    private bool TryWrite(in LogRecord record, ArrayBufferWriter<byte> page, int limit, bool isAged)
    {
        var fields = new LinkText(stackalloc byte[LinkText.MaximumBytes]);
        fields.Position(record.Position);
        if (isAged)
        {
            fields.Flag('a');
        }

        if (record.Retain)
        {
            fields.Flag('r');
        }

        if (record.Origin != 0)
        {
            fields.Origin(record.Origin);
        }

        var encoder = new PublishEncoder
        {
            Version = ProtocolVersion.Mqtt50,
            Topic = record.Topic,
            Payload = isAged ? default : record.Payload,
            ForwardableProperties = isAged ? default : record.Properties,
            QoS = record.QoS,
            PacketId = 1,
            RemainingExpirySeconds = record.RemainingSeconds(state.NowMs),
            ExtraKey = ForwardableProperties.TrunklineKey,
            ExtraValue = fields.Value,
        };
        if (page.WrittenCount + (long)encoder.Measure() > limit)
        {
            return false;
        }

        encoder.Write(page);
        return true;
    }
}
