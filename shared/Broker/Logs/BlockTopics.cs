using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>
/// Gathers which topics a block of the log holds, as hashes: of each whole topic, and of each first level. A read by filters
/// passes over the blocks that hold none of them, without their bytes. Two topics with one hash cost a needless look, never
/// a message. Four bytes for each different topic of a block, and for each first level.
/// </summary>
internal sealed class BlockTopics
{
    private const uint WholeSeed = 0x746F7069;
    private const uint LevelSeed = 0x6C65766C;
    private readonly HashSet<uint> _hashes = [];

    public void Add(ReadOnlySpan<byte> topic)
    {
        _hashes.Add(Crc32C.Of(WholeSeed, topic));
        int slash = topic.IndexOf((byte)'/');
        _hashes.Add(Crc32C.Of(LevelSeed, slash < 0 ? topic : topic[..slash]));
    }

    /// <summary>What was gathered, sorted; begins anew.</summary>
    public uint[] Take()
    {
        uint[] taken = [.. _hashes];
        Array.Sort(taken);
        _hashes.Clear();
        return taken;
    }

    /// <summary>
    /// What blocks must hold one of to be worth reading for these filters; null when any block may be: a filter that begins
    /// with a wildcard.
    /// </summary>
    public static uint[]? Wanted(IReadOnlyList<TopicFilterText> filters)
    {
        uint[] wanted = new uint[filters.Count];
        for (int i = 0; i < wanted.Length; i++)
        {
            ReadOnlySpan<byte> filter = filters[i].Filter;
            int slash = filter.IndexOf((byte)'/');
            ReadOnlySpan<byte> first = slash < 0 ? filter : filter[..slash];
            if (first.IndexOfAny((byte)'+', (byte)'#') >= 0)
            {
                return null;
            }

            wanted[i] = filter.IndexOfAny((byte)'+', (byte)'#') < 0 ? Crc32C.Of(WholeSeed, filter) : Crc32C.Of(LevelSeed, first);
        }

        return wanted;
    }

    /// <summary>Whether a block may hold one of those wanted.</summary>
    public static bool HoldsAny(uint[] topics, uint[] wanted)
    {
        foreach (uint hash in wanted)
        {
            if (Array.BinarySearch(topics, hash) >= 0)
            {
                return true;
            }
        }

        return false;
    }
}
