using System.Buffers;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>Writes what the log keeps of shares: changes since the record before, or at the beginning of a segment everything.</summary>
/// <remarks>
/// <code>
///   1  id  lasting (0, 1)  length, filter                                          a share is, or is lasting now
///   2  id  position  added  removed  (position  owner)*  position*                 what is not done, and up to where all else is
///   3  id                                                                          it is over
/// </code>
/// Numbers are LEB128. A position is the difference to the one before it: of the term, then of the offset, or within another
/// term the offset itself; the first of a change is counted from 0:0. Every change may be played twice.
/// </remarks>
internal ref struct ShareRecordWriter(ArrayBufferWriter<byte> output)
{
    public const byte ShareKind = 1;
    public const byte ChangesKind = 2;
    public const byte EndKind = 3;

    private LogPosition _before;

    public readonly void Share(uint id, bool isLasting, ReadOnlySpan<byte> filter)
    {
        Byte(ShareKind);
        Number(id);
        Byte(isLasting ? (byte)1 : (byte)0);
        Number((ulong)filter.Length);
        output.Write(filter);
    }

    public void Changes(uint id, LogPosition position, int added, int removed)
    {
        Byte(ChangesKind);
        Number(id);
        _before = LogPosition.None;
        Place(position);
        Number((ulong)added);
        Number((ulong)removed);
    }

    public void Handout(LogPosition position, ulong owner)
    {
        Place(position);
        Number(owner);
    }

    public void Done(LogPosition position) => Place(position);

    public readonly void End(uint id)
    {
        Byte(EndKind);
        Number(id);
    }

    private void Place(LogPosition position)
    {
        Signed((long)(position.Term - _before.Term));
        if (position.Term == _before.Term)
        {
            Signed((long)(position.Offset - _before.Offset));
        }
        else
        {
            Number(position.Offset);
        }

        _before = position;
    }

    private readonly void Signed(long value) => Number((ulong)((value << 1) ^ (value >> 63)));

    private readonly void Number(ulong value)
    {
        Span<byte> bytes = output.GetSpan(10);
        int length = 0;
        while (value > 0x7F)
        {
            bytes[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        bytes[length++] = (byte)value;
        output.Advance(length);
    }

    private readonly void Byte(byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }
}

/// <summary>Plays back what <see cref="ShareRecordWriter"/> wrote.</summary>
internal sealed class ShareRecords
{
    private readonly Dictionary<uint, Found> _shares = [];

    /// <summary>One share as it was recorded last.</summary>
    public sealed class Found
    {
        public TopicFilterText Filter { get; init; }

        public bool IsLasting { get; set; }

        public LogPosition Position { get; set; }

        /// <summary>What is not done, and whose it is for good; 0 for nobody's.</summary>
        public Dictionary<LogPosition, ulong> Handouts { get; } = [];
    }

    public IReadOnlyDictionary<uint, Found> Shares => _shares;

    /// <summary>Plays one record. Its checksum was right; false when it says what this version does not know.</summary>
    public bool Play(ReadOnlySpan<byte> record)
    {
        var reader = new Reader(record);
        while (!reader.IsEmpty)
        {
            byte kind = reader.Byte();
            uint id = (uint)reader.Number();
            switch (kind)
            {
                case ShareRecordWriter.ShareKind:
                    bool isLasting = reader.Byte() != 0;
                    if (!TopicFilterText.TryParse(reader.Bytes((int)reader.Number()), StoredTopicLimits, out TopicFilterText filter, out _))
                    {
                        return false;
                    }

                    _shares.TryAdd(id, new Found { Filter = filter });
                    _shares[id].IsLasting = isLasting;
                    break;
                case ShareRecordWriter.ChangesKind when _shares.TryGetValue(id, out Found? share):
                    Play(share, ref reader);
                    break;
                case ShareRecordWriter.EndKind:
                    _shares.Remove(id);
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    /// <summary>A filter that was granted once is not refused for another broker's limits.</summary>
    private static TopicLimits StoredTopicLimits { get; } = new() { MaximumLevels = 65_535 };

    private static void Play(Found share, ref Reader reader)
    {
        reader.Before = LogPosition.None;
        share.Position = reader.Place();
        ulong added = reader.Number();
        ulong removed = reader.Number();
        for (; added > 0; added--)
        {
            LogPosition position = reader.Place();
            share.Handouts[position] = reader.Number();
        }

        for (; removed > 0; removed--)
        {
            share.Handouts.Remove(reader.Place());
        }
    }

    private ref struct Reader(ReadOnlySpan<byte> source)
    {
        private ReadOnlySpan<byte> _rest = source;

        public LogPosition Before { get; set; }

        public readonly bool IsEmpty => _rest.IsEmpty;

        public byte Byte()
        {
            byte value = _rest[0];
            _rest = _rest[1..];
            return value;
        }

        public ReadOnlySpan<byte> Bytes(int length)
        {
            ReadOnlySpan<byte> bytes = _rest[..length];
            _rest = _rest[length..];
            return bytes;
        }

        public ulong Number()
        {
            ulong value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte next = Byte();
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                {
                    return value;
                }
            }
        }

        public LogPosition Place()
        {
            long term = Signed();
            Before = term == 0
                ? new LogPosition(Before.Term, Before.Offset + (ulong)Signed())
                : new LogPosition(Before.Term + (ulong)term, Number());
            return Before;
        }

        private long Signed()
        {
            ulong value = Number();
            return (long)(value >> 1) ^ -(long)(value & 1);
        }
    }
}
