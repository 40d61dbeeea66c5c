using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>
/// What a piece of the log must hold to be worth reading for some filters: of one of them every hash. Carries how much may
/// be looked at before others have their turn. Used by one reader at a time.
/// </summary>
public sealed class TopicsWanted
{
    /// <summary>Hashes looked for in one turn of the loop at most.</summary>
    private const int ProbesPerTurn = 50_000;

    private readonly List<uint> _hashes = [];

    /// <summary>Where in the hashes each filter ends, and whether it names one topic.</summary>
    private readonly List<(int End, bool IsWhole)> _filters = [];

    /// <summary>Hashes of the tenants the filters are about; null when they are about any.</summary>
    private HashSet<uint>? _tenants = [];

    private int _left = ProbesPerTurn;

    private TopicsWanted()
    {
    }

    /// <summary>Whether more may be looked at in this turn.</summary>
    internal bool HasTurn => _left > 0;

    /// <summary>Null when any piece may hold something: a filter of wildcards alone that ends with <c>#</c>.</summary>
    /// <param name="filters">The filters, shared ones without their share.</param>
    /// <param name="tenantLevels">First levels of a topic that name its tenant.</param>
    public static TopicsWanted? Of(IReadOnlyCollection<TopicFilterText> filters, int tenantLevels)
    {
        ArgumentNullException.ThrowIfNull(filters);
        var wanted = new TopicsWanted();
        foreach (TopicFilterText filter in filters)
        {
            if (!wanted.Add(filter.Filter))
            {
                return null;
            }

            wanted.AddTenant(LogTenants.NameIn(filter.Filter, tenantLevels));
        }

        return wanted;
    }

    /// <summary>A turn of the loop begins for its reader.</summary>
    public void BeginTurn() => _left = ProbesPerTurn;

    /// <summary>Whether a block may hold a topic that one of the filters matches.</summary>
    internal bool MayBeIn(BlockIndex index)
    {
        int from = 0;
        _left--;
        foreach ((int end, bool isWhole) in _filters)
        {
            if (isWhole ? HoldsAll(index.Wholes, from, end) : index.Levels is null || HoldsAll(index.Levels, from, end))
            {
                return true;
            }

            from = end;
        }

        return false;
    }

    /// <summary>Whether messages of some tenants may have been wanted.</summary>
    /// <param name="names">Hashes of their names; none for anybody's.</param>
    internal bool MayConcern(ReadOnlySpan<uint> names)
    {
        bool may = _tenants is null || names.IsEmpty;
        for (int i = 0; i < names.Length && !may; i++)
        {
            may = _tenants!.Contains(names[i]);
        }

        return may;
    }

    private void AddTenant(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || name.IndexOfAny((byte)'+', (byte)'#') >= 0)
        {
            _tenants = null;
        }

        _tenants?.Add(TopicHash.Tenant(name));
    }

    private bool HoldsAll(uint[] sorted, int from, int end)
    {
        for (int i = from; i < end; i++)
        {
            _left--;
            if (Array.BinarySearch(sorted, _hashes[i]) < 0)
            {
                return false;
            }
        }

        return true;
    }

    private bool Add(ReadOnlySpan<byte> filter)
    {
        bool isWhole = filter.IndexOfAny((byte)'+', (byte)'#') < 0;
        if (isWhole)
        {
            _hashes.Add(TopicHash.Whole(filter));
        }
        else if (!AddLevels(filter))
        {
            return false;
        }

        _filters.Add((_hashes.Count, isWhole));
        return true;
    }

    /// <summary>The literal levels, rarest last so probably, so from the end; without <c>#</c> also their number.</summary>
    private bool AddLevels(ReadOnlySpan<byte> filter)
    {
        int first = _hashes.Count;
        int level = 0;
        bool isOpen = false;
        foreach (Range range in filter.Split((byte)'/'))
        {
            ReadOnlySpan<byte> text = filter[range];
            isOpen = text.SequenceEqual("#"u8);
            if (!isOpen && !text.SequenceEqual("+"u8) && level < TopicHash.LevelsHashed)
            {
                _hashes.Add(TopicHash.Level(level, text));
            }

            level++;
        }

        _hashes.Reverse(first, _hashes.Count - first);
        if (!isOpen)
        {
            _hashes.Add(TopicHash.Count(level));
        }

        return _hashes.Count > first;
    }
}
