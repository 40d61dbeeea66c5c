namespace Trunkline.Topics;

/// <summary>
/// The hash slots of Redis Cluster: CRC16/XMODEM of the key modulo 16,384, with its tag rule, so that
/// <c>redis-cli cluster keyslot</c> gives the same answer. Any thread.
/// </summary>
public static class Slots
{
    /// <summary>How many slots there are.</summary>
    public const int Count = 16_384;

    private static readonly ushort[] Table = BuildTable();

    /// <summary>The slot of a key. If it has a { with a } somewhere after it, only what stands between the first such pair counts, unless that is empty.</summary>
    public static ushort OfKey(ReadOnlySpan<byte> key)
    {
        TryGetTag(key, out ReadOnlySpan<byte> hashed);
        return (ushort)(Crc16(hashed) & (Count - 1));
    }

    /// <summary>The slot of a topic name: of its first <paramref name="keyLevels"/> levels, of the whole topic if it has fewer or at 0.</summary>
    public static ushort OfTopic(ReadOnlySpan<byte> topic, int keyLevels) => OfKey(KeyOf(topic, keyLevels));

    /// <summary>
    /// The only slot in which a topic that matches <paramref name="filter"/> (without <c>$share/name/</c>) can be;
    /// false if there may be several, so that every group is needed. True in two cases:
    /// no wildcard stands in the key levels, so every matching topic has the same key (a/b/# with two key levels: a/b
    /// itself, which it matches too, has the key a/b; with three it has not, as a/b/c has the key a/b/c: false);
    /// or a complete, non-empty {tag}, the first of its kind, stands before the first wildcard: only the tag is hashed.
    /// </summary>
    public static bool TryOfFilter(ReadOnlySpan<byte> filter, int keyLevels, out ushort slot)
    {
        ReadOnlySpan<byte> key = KeyOf(filter, keyLevels);
        int wildcard = key.IndexOfAny(TopicText.SingleLevel, TopicText.MultiLevel);
        if (wildcard < 0)
        {
            slot = OfKey(key);
            return true;
        }
        // The level before # is part of every match, the slash between them is not; no tag can end in that slash.
        bool tagged = TryGetTag(key[..wildcard], out ReadOnlySpan<byte> tag);
        slot = tagged ? (ushort)(Crc16(tag) & (Count - 1)) : (ushort)0;
        return tagged;
    }

    private static ReadOnlySpan<byte> KeyOf(ReadOnlySpan<byte> topic, int keyLevels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keyLevels);
        if (keyLevels == 0)
        {
            return topic;
        }
        int start = 0;
        for (int level = 1; ; level++)
        {
            int end = TopicText.LevelEnd(topic, start);
            if (end == topic.Length || level == keyLevels)
            {
                return topic[..end];
            }
            start = end + 1;
        }
    }

    /// <summary>Redis's keyHashSlot: the first {, the first } after it, something between; else the whole key.</summary>
    private static bool TryGetTag(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> hashed)
    {
        hashed = key;
        int open = key.IndexOf((byte)'{');
        if (open < 0)
        {
            return false;
        }
        int length = key[(open + 1)..].IndexOf((byte)'}');
        if (length <= 0)
        {
            return false; // No }, or {}: there is no second try with a later {.
        }
        hashed = key.Slice(open + 1, length);
        return true;
    }

    private static ushort Crc16(ReadOnlySpan<byte> bytes)
    {
        ushort crc = 0;
        foreach (byte value in bytes)
        {
            crc = (ushort)((crc << 8) ^ Table[(crc >> 8) ^ value]);
        }
        return crc;
    }

    /// <summary>XMODEM: polynomial 0x1021, initial value 0, nothing reflected, no final XOR.</summary>
    private static ushort[] BuildTable()
    {
        ushort[] table = new ushort[256];
        for (int i = 0; i < table.Length; i++)
        {
            int crc = i << 8;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
            }
            table[i] = (ushort)crc;
        }
        return table;
    }
}
