using System.Buffers;
using System.Text;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>Pages of retained messages for <c>$trunkline/retained</c>.</summary>
internal sealed class RetainedPages(BrokerState state)
{
    private const int MaximumSteps = 100_000;

    /// <summary>A sentence when the request lacks something.</summary>
    public static string Check(RequestText text) =>
        text.Filters.Count == 1 ? "" : "The request for retained messages needs exactly one line 'filter <filter>'.";

    /// <summary>Writes a page and returns the fields of its reply.</summary>
    /// <param name="text">The request.</param>
    /// <param name="page">Where the packets go.</param>
    /// <param name="bytes">The page ends with the message that reaches this size.</param>
    /// <param name="limit">More than this the asker does not take.</param>
    public byte[] Write(RequestText text, ArrayBufferWriter<byte> page, int bytes, int limit)
    {
        bytes = int.Min(bytes, limit);
        ulong since = text.Since ?? state.Retained.Sequence;
        TopicCursor cursor = text.Cursor;
        bool isMore = Read(text, page, ref cursor, new Writer(state, page, since, bytes, int.MaxValue), out int messages, out LogPosition newer);
        if (page.WrittenCount > limit)
        {
            // The last message is too much for the asker: it begins the next page, or is left out when it stands alone.
            page.ResetWrittenCount();
            if (messages > 1)
            {
                cursor = text.Cursor;
                isMore = Read(text, page, ref cursor, new Writer(state, page, since, bytes, messages - 1), out _, out newer);
            }
            else
            {
                state.Counters.Add(BrokerCounter.LinkDroppedTooLarge);
            }
        }

        byte[] token = isMore ? cursor.ToToken() : [];
        var fields = new LinkText(new byte[LinkText.MaximumBytes + (2 * token.Length)]);
        fields.Position(state.Dispatched);
        fields.Number('s', since);
        if (!newer.IsNone)
        {
            fields.Position('u', newer);
        }

        if (isMore)
        {
            fields.Text('c', Encoding.ASCII.GetBytes(Convert.ToHexStringLower(token)));
        }

        return fields.Value.ToArray();
    }

    private bool Read(
        RequestText text, ArrayBufferWriter<byte> page, ref TopicCursor cursor, Writer writer, out int messages, out LogPosition newer)
    {
        bool isMore = state.Retained.Read(text.Filters[0].Filter, ref cursor, MaximumSteps, ref writer);
        messages = writer.Messages;
        newer = writer.Newer;
        return isMore;
    }

    private struct Writer(BrokerState state, ArrayBufferWriter<byte> page, ulong since, int bytes, int maximum)
        : ITopicReader<RetainedMessage>
    {
        public int Messages { get; private set; }

        /// <summary>The last place in the log of what was left out because it is newer than asked for.</summary>
        public LogPosition Newer { get; private set; }

        public bool Read(ReadOnlyMemory<byte> topic, RetainedMessage value)
        {
            if (value.ExpiresAtMs <= state.NowMs)
            {
                return true;
            }

            if (value.Sequence > since)
            {
                Newer = value.QoS != QoS.AtMostOnce && value.Position > Newer ? value.Position : Newer;
                return true;
            }

            var fields = new LinkText(stackalloc byte[LinkText.MaximumBytes]);
            if (value.QoS != QoS.AtMostOnce)
            {
                // One that retention took the log gives to nobody any more.
                fields.Position(value.Position > state.Log.Start ? 'p' : 'x', value.Position);
            }

            var encoder = new PublishEncoder
            {
                Version = ProtocolVersion.Mqtt50,
                Topic = topic.Span,
                Payload = value.Payload,
                ForwardableProperties = value.Properties,
                QoS = value.QoS,
                Retain = true,
                PacketId = 1,
                RemainingExpirySeconds = MessageLifetime.RemainingSeconds(value.ExpiresAtMs, state.NowMs),
                ExtraKey = fields.Value.IsEmpty ? default : ForwardableProperties.TrunklineKey,
                ExtraValue = fields.Value,
            };
            encoder.Write(page);
            return ++Messages < maximum && page.WrittenCount < bytes;
        }
    }
}
