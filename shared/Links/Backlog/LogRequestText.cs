using System.Buffers;
using System.Buffers.Text;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

/// <summary>Writes the payload of a <c>$trunkline/log</c> request: one item a line.</summary>
internal readonly struct LogRequestText(ArrayBufferWriter<byte> buffer)
{
    public ReadOnlySpan<byte> Text => buffer.WrittenSpan;

    public void Begin(LogPosition from)
    {
        buffer.ResetWrittenCount();
        buffer.Write("from p"u8);
        Number((ulong)from.Term);
        buffer.Write(":"u8);
        Number(from.Offset);
    }

    /// <summary>
    /// The filters. More than one request takes become <c>#</c>, with the <c>$</c> topics it does not cover by their first
    /// levels: the reply then covers more than is wanted.
    /// </summary>
    public void Filters(IReadOnlyList<TopicFilterText> filters, int maximum)
    {
        if (filters.Count <= maximum)
        {
            foreach (TopicFilterText filter in filters)
            {
                buffer.Write("\nfilter "u8);
                buffer.Write(filter.Filter);
            }

            return;
        }

        buffer.Write("\nfilter #"u8);
        HashSet<byte[]>? written = null;
        foreach (TopicFilterText filter in filters)
        {
            ReadOnlySpan<byte> text = filter.Filter;
            int end = text.IndexOf((byte)'/');
            byte[] first = text[0] == (byte)'$' ? (end < 0 ? text : text[..end]).ToArray() : [];
            if (first.Length > 0 && (written ??= new HashSet<byte[]>(TopicBytes.Comparer)).Add(first))
            {
                buffer.Write("\nfilter "u8);
                buffer.Write(first);
                buffer.Write("/#"u8);
            }
        }
    }

    /// <summary>Only the messages at these positions, which rise.</summary>
    public void At(ReadOnlySpan<LogPosition> positions)
    {
        ulong term = 0;
        buffer.Write("\nat"u8);
        foreach (LogPosition position in positions)
        {
            buffer.Write(" "u8);
            if (position.Term != term)
            {
                term = position.Term;
                Number(term);
                buffer.Write(":"u8);
            }

            Number(position.Offset);
        }
    }

    public void Bytes(int bytes)
    {
        buffer.Write("\nbytes "u8);
        Number((ulong)bytes);
    }

    /// <summary>Messages older than this are marked, or counted apart; 0 for none.</summary>
    public void Age(int seconds)
    {
        if (seconds > 0)
        {
            buffer.Write("\nage "u8);
            Number((ulong)seconds);
        }
    }

    public void Newest(long messages, long bytes)
    {
        buffer.Write("\nnewest "u8);
        Number((ulong)messages);
        buffer.Write(" "u8);
        Number((ulong)bytes);
    }

    private void Number(ulong number)
    {
        Utf8Formatter.TryFormat(number, buffer.GetSpan(20), out int written);
        buffer.Advance(written);
    }
}
