namespace Trunkline.Topics;

/// <summary>
/// Which group owns which slot: an immutable snapshot with the version of its content and the generation of the
/// directory it was written under. Any thread. Its text form is in SlotMap.Text.cs.
/// <para>
/// Which of two maps counts (<see cref="IsNewerThan"/>): within a generation the higher version. Generations are random
/// numbers and have no order of their own, so across them the higher version counts too: a directory that was emptied
/// or rolled back cannot undo a move, and who writes the first map of a new generation takes the highest version it can
/// find plus one (<see cref="WithGeneration"/>). At equal versions the higher generation counts, then the text form,
/// which has no meaning except that every node chooses the same map; <see cref="ConflictsWith"/> tells that this
/// happened, for the log.
/// </para>
/// </summary>
public sealed partial class SlotMap : IEquatable<SlotMap>
{
    /// <summary>A group number is one byte.</summary>
    public const int MaximumGroups = 256;

    private readonly byte[] _owners;

    private SlotMap(byte[] owners, int groupCount, ulong version, ulong generation)
    {
        _owners = owners;
        GroupCount = groupCount;
        Version = version;
        Generation = generation;
    }

    /// <summary>Rises by one with each change; the first is 1.</summary>
    public ulong Version { get; }

    /// <summary>The directory's random generation.</summary>
    public ulong Generation { get; }

    /// <summary>Groups are 0 to this minus one; a group may own nothing.</summary>
    public int GroupCount { get; }

    /// <summary>The owning group of each of the <see cref="Slots.Count"/> slots.</summary>
    public ReadOnlySpan<byte> Owners => _owners;

    /// <summary>Whole ranges in order, as Redis Cluster lays them out; sizes differ by one at most.</summary>
    public static SlotMap Even(int groups, ulong version = 1, ulong generation = 0)
    {
        ThrowUnlessGroups(groups);
        byte[] owners = new byte[Slots.Count];
        for (int slot = 0; slot < owners.Length; slot++)
        {
            owners[slot] = (byte)((long)slot * groups / Slots.Count);
        }
        return new SlotMap(owners, groups, version, generation);
    }

    /// <summary>The group that owns a slot, 0 to 16,383.</summary>
    public int GroupOf(int slot) => _owners[slot];

    /// <summary>The group a topic's messages go to.</summary>
    public int GroupOfTopic(ReadOnlySpan<byte> topic, int keyLevels) => _owners[Slots.OfTopic(topic, keyLevels)];

    /// <summary>The only group a filter (without <c>$share/name/</c>) needs; false if it needs all of them.</summary>
    public bool TryGroupOfFilter(ReadOnlySpan<byte> filter, int keyLevels, out int group)
    {
        bool single = Slots.TryOfFilter(filter, keyLevels, out ushort slot);
        group = single ? _owners[slot] : -1;
        return single;
    }

    /// <summary>How many slots a group owns.</summary>
    public int SlotsOf(int group) => _owners.AsSpan().Count((byte)group);

    /// <summary>The next version, in which <paramref name="group"/> owns the slots from first to last.</summary>
    public SlotMap WithOwner(int first, int last, int group)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(last, first);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(last, Slots.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(group);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(group, GroupCount);
        byte[] owners = [.. _owners];
        owners.AsSpan(first, last - first + 1).Fill((byte)group);
        return new SlotMap(owners, GroupCount, checked(Version + 1), Generation);
    }

    /// <summary>The next version, with more or fewer groups; a group that goes must own nothing.</summary>
    public SlotMap WithGroups(int groups)
    {
        ThrowUnlessGroups(groups);
        foreach (byte owner in _owners)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(owner, groups, nameof(groups));
        }
        return new SlotMap(_owners, groups, checked(Version + 1), Generation);
    }

    /// <summary>The next version, under another generation: what is written back into a directory that lost its own.</summary>
    public SlotMap WithGeneration(ulong generation) => new(_owners, GroupCount, checked(Version + 1), generation);

    /// <summary>Whether this map replaces <paramref name="other"/>; never true both ways, false both ways only for equal maps.</summary>
    public bool IsNewerThan(SlotMap? other)
    {
        if (other is null)
        {
            return true;
        }
        int order = Version.CompareTo(other.Version);
        order = order != 0 ? order : Generation.CompareTo(other.Generation);
        order = order != 0 ? order : string.CompareOrdinal(ToString(), other.ToString());
        return order > 0;
    }

    /// <summary>Same version, other content: two writers, which must not be; say so in the log.</summary>
    public bool ConflictsWith(SlotMap other) =>
        Version == other.Version && !(GroupCount == other.GroupCount && Owners.SequenceEqual(other.Owners));

    /// <inheritdoc/>
    public bool Equals(SlotMap? other) =>
        other is not null && Version == other.Version && Generation == other.Generation
        && GroupCount == other.GroupCount && Owners.SequenceEqual(other.Owners);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SlotMap);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Version, Generation, GroupCount);

    private static void ThrowUnlessGroups(int groups)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(groups, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(groups, MaximumGroups);
    }
}
