namespace Trunkline.Broker;

/// <summary>
/// Gathers which topics a block of the log holds, as hashes: of each whole topic, of each of its first levels with its
/// place, and of its number of levels. A read by filters passes over the blocks that hold none of its topics, without their
/// bytes. Two things with one hash cost a needless look, never a message. Reused from block to block.
/// </summary>
/// <remarks>
/// Four bytes for each different topic of a block and for each different level; the levels are given up in a block that has
/// more of them than <paramref name="maximumLevels"/>, and filters with wildcards then read it.
/// </remarks>
internal sealed class BlockTopics(int maximumLevels)
{
    private readonly HashSet<uint> _levels = [];

    /// <summary>Where in <see cref="_seen"/> a topic with that hash stands.</summary>
    private readonly Dictionary<uint, (int Offset, int Length)> _wholes = [];

    private byte[] _seen = new byte[1024];
    private int _used;
    private bool _hasLevels = true;

    public void Add(ReadOnlySpan<byte> topic)
    {
        uint whole = TopicHash.Whole(topic);
        if (!_wholes.TryGetValue(whole, out (int Offset, int Length) seen))
        {
            _wholes.Add(whole, (_used, topic.Length));
            Remember(topic);
        }
        else if (topic.SequenceEqual(_seen.AsSpan(seen.Offset, seen.Length)))
        {
            // Its levels are there; only a different topic with the same hash has others.
            return;
        }

        if (_hasLevels)
        {
            AddLevels(topic);
        }
    }

    /// <summary>What was gathered; begins anew.</summary>
    public BlockIndex Take()
    {
        var index = new BlockIndex(Sorted(_wholes.Keys), _hasLevels ? Sorted(_levels) : null);
        _wholes.Clear();
        _levels.Clear();
        _used = 0;
        _hasLevels = true;
        return index;
    }

    private static uint[] Sorted(IReadOnlyCollection<uint> hashes)
    {
        uint[] sorted = [.. hashes];
        Array.Sort(sorted);
        return sorted;
    }

    private void AddLevels(ReadOnlySpan<byte> topic)
    {
        int level = 0;
        foreach (Range range in topic.Split((byte)'/'))
        {
            if (level < TopicHash.LevelsHashed)
            {
                _levels.Add(TopicHash.Level(level, topic[range]));
            }

            level++;
        }

        _levels.Add(TopicHash.Count(level));
        if (_levels.Count > maximumLevels)
        {
            _hasLevels = false;
            _levels.Clear();
        }
    }

    private void Remember(ReadOnlySpan<byte> topic)
    {
        if (_used + topic.Length > _seen.Length)
        {
            Array.Resize(ref _seen, int.Max(_seen.Length * 2, _used + topic.Length));
        }

        topic.CopyTo(_seen.AsSpan(_used));
        _used += topic.Length;
    }
}

/// <summary>The topics of one complete block; sorted hashes, see <see cref="BlockTopics"/>.</summary>
/// <param name="Wholes">Of whole topics.</param>
/// <param name="Levels">Of levels and their number; null when there were too many.</param>
internal sealed record BlockIndex(uint[] Wholes, uint[]? Levels)
{
    /// <summary>Bytes it takes in memory, the two objects' headers left out.</summary>
    public int Bytes => sizeof(uint) * (Wholes.Length + (Levels?.Length ?? 0));
}

/// <summary>Hashes of topics and their levels.</summary>
internal static class TopicHash
{
    /// <summary>Levels of a topic that are hashed, from the first.</summary>
    public const int LevelsHashed = 8;

    private const uint WholeSeed = 0x746F7069;
    private const uint LevelSeed = 0x6C65766C;
    private const uint CountSeed = 0x636F756E;
    private const uint TenantSeed = 0x74656E61;

    public static uint Whole(ReadOnlySpan<byte> topic) => Crc32C.Of(WholeSeed, topic);

    public static uint Level(int index, ReadOnlySpan<byte> level) => Crc32C.Of(LevelSeed + (uint)index, level);

    public static uint Tenant(ReadOnlySpan<byte> name) => Crc32C.Of(TenantSeed, name);

    public static uint Count(int levels) => Crc32C.Of(CountSeed, [(byte)levels, (byte)(levels >> 8)]);
}
