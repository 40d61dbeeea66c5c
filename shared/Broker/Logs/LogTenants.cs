using System.Runtime.InteropServices;

namespace Trunkline.Broker;

/// <summary>One of those who share a log's space: a first topic level, or all that are not accounted by name.</summary>
internal sealed class LogTenant(byte[] name)
{
    /// <summary>The level or levels, UTF-8; empty for all that are accounted together.</summary>
    public byte[] Name { get; } = name;

    /// <summary>Bytes of its messages in the log.</summary>
    public long Bytes { get; set; }

    /// <summary>Whether it has more than its share by the last reckoning, so that it loses at the limit.</summary>
    public bool IsOver { get; set; }

    /// <summary>When the floor of retention holds it until, on the clock of the log; 0 for not.</summary>
    public long SlowedUntilMs { get; set; }
}

/// <summary>
/// Who has how much of one log: by first topic levels, a bounded number by name and the rest together. Loop thread only.
/// </summary>
/// <remarks>
/// A tenant's share is the level W at which the sum of min(bytes, W) over all of them is what the log is to keep: who has
/// less than W keeps all it has.
/// </remarks>
internal sealed class LogTenants(BrokerOptions options)
{
    /// <summary>A unit is written anew when those who lose have one in so many of its bytes.</summary>
    public const int ThinnedAtShare = 4;

    private readonly Dictionary<byte[], LogTenant> _named = new(BytesComparer.Instance);
    private readonly LogTenant _rest = new([]);
    private LogTenant? _last;

    /// <summary>Tenants with something in the log.</summary>
    public int Count => _named.Count + (_rest.Bytes > 0 ? 1 : 0);

    /// <summary>Messages so far that were accounted with others because there were too many tenants.</summary>
    public long Together { get; private set; }

    /// <summary>Whether somebody has more than its share, and somebody has not.</summary>
    public bool HasBoth { get; private set; }

    /// <summary>Bytes of all.</summary>
    public long Bytes { get; private set; }

    /// <summary>The first levels of a topic or filter, which name its tenant.</summary>
    public static ReadOnlySpan<byte> NameIn(ReadOnlySpan<byte> topic, int levels)
    {
        int end = -1;
        for (int level = 0; level < levels; level++)
        {
            int slash = topic[(end + 1)..].IndexOf((byte)'/');
            if (slash < 0)
            {
                return topic;
            }

            end += slash + 1;
        }

        return end < 0 ? default : topic[..end];
    }

    /// <summary>A message is in a unit of the log.</summary>
    public void Add(TenantBytes unit, ReadOnlySpan<byte> topic, long bytes)
    {
        LogTenant tenant = FindOrAdd(NameIn(topic, options.TenantLevels));
        tenant.Bytes += bytes;
        Bytes += bytes;
        unit.Add(tenant, bytes);
    }

    /// <summary>A message left a unit that stays.</summary>
    public void Remove(TenantBytes unit, ReadOnlySpan<byte> topic, long bytes)
    {
        LogTenant tenant = Find(topic);
        tenant = unit.Of(tenant) >= bytes ? tenant : _rest;
        Take(tenant, unit.Take(tenant, bytes));
    }

    /// <summary>A unit is gone, or is accounted anew.</summary>
    public void Release(TenantBytes unit)
    {
        foreach ((LogTenant tenant, long bytes) in unit)
        {
            Take(tenant, bytes);
        }

        unit.Clear();
    }

    /// <summary>The tenant of a topic, as it is accounted now.</summary>
    public LogTenant Find(ReadOnlySpan<byte> topic)
    {
        ReadOnlySpan<byte> name = NameIn(topic, options.TenantLevels);
        return _named.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out LogTenant? tenant) ? tenant : _rest;
    }

    /// <summary>Reckons who has more than its share of so many bytes. Returns whether somebody has now who had not before.</summary>
    public bool Reckon(long bytes)
    {
        LogTenant[] all = [.. _named.Values, _rest];
        Array.Sort(all, (a, b) => a.Bytes.CompareTo(b.Bytes));
        long left = long.Max(0, bytes);
        bool isNew = false;
        bool anyOver = false;
        bool anyWithin = false;
        for (int i = 0; i < all.Length; i++)
        {
            LogTenant tenant = all[i];
            bool isOver = tenant.Bytes > left / (all.Length - i);
            left -= isOver ? left / (all.Length - i) : tenant.Bytes;
            isNew |= isOver && !tenant.IsOver;
            tenant.IsOver = isOver;
            anyOver |= isOver;
            anyWithin |= !isOver && tenant.Bytes > 0;
        }

        HasBoth = anyOver && anyWithin;
        return isNew;
    }

    /// <summary>Who loses by the last reckoning, for a thread of its own.</summary>
    public LogLosers Losers() => new(
        _named.Values.ToDictionary(tenant => tenant.Name, tenant => tenant.IsOver, BytesComparer.Instance), _rest.IsOver, options.TenantLevels);

    /// <summary>Those above their share lost messages that were younger than the floor.</summary>
    public void Slow(long untilMs)
    {
        foreach (LogTenant tenant in _named.Values.Append(_rest))
        {
            tenant.SlowedUntilMs = tenant.IsOver ? untilMs : tenant.SlowedUntilMs;
        }
    }

    private LogTenant FindOrAdd(ReadOnlySpan<byte> name)
    {
        if (_last is { } last && name.SequenceEqual(last.Name))
        {
            return last;
        }

        if (options.TenantLevels == 0)
        {
            return _rest;
        }

        if (!_named.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out LogTenant? tenant))
        {
            if (_named.Count >= options.TenantsMaximum)
            {
                Together++;
                return _rest;
            }

            tenant = new LogTenant(name.ToArray());
            _named.Add(tenant.Name, tenant);
        }

        _last = tenant;
        return tenant;
    }

    private void Take(LogTenant tenant, long bytes)
    {
        tenant.Bytes -= bytes;
        Bytes -= bytes;
        if (tenant.Bytes <= 0 && tenant != _rest && _named.Remove(tenant.Name))
        {
            _last = null;
        }
    }
}

/// <summary>What the tenants have in one unit of a log (a block, a segment).</summary>
internal sealed class TenantBytes
{
    private readonly Dictionary<LogTenant, long> _bytes = [];

    /// <summary>Bytes of those who have more than their share.</summary>
    public long Over
    {
        get
        {
            long sum = 0;
            foreach ((LogTenant tenant, long bytes) in _bytes)
            {
                sum += tenant.IsOver ? bytes : 0;
            }

            return sum;
        }
    }

    /// <summary>Bytes of all.</summary>
    public long All { get; private set; }

    public Dictionary<LogTenant, long>.Enumerator GetEnumerator() => _bytes.GetEnumerator();

    public long Of(LogTenant tenant) => _bytes.GetValueOrDefault(tenant);

    public void Add(LogTenant tenant, long bytes)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(_bytes, tenant, out _) += bytes;
        All += bytes;
    }

    /// <summary>Takes away at most what there is, and returns that.</summary>
    public long Take(LogTenant tenant, long bytes)
    {
        long taken = long.Min(bytes, Of(tenant));
        if (taken > 0)
        {
            _bytes[tenant] -= taken;
            All -= taken;
        }

        return taken;
    }

    public void Clear()
    {
        _bytes.Clear();
        All = 0;
    }
}

/// <summary>Who loses when a unit of the log is thinned. Never changes; any thread.</summary>
internal sealed class LogLosers(Dictionary<byte[], bool> named, bool restLoses, int levels)
{
    public bool Loses(ReadOnlySpan<byte> topic, out ReadOnlySpan<byte> name)
    {
        name = LogTenants.NameIn(topic, levels);
        return named.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out bool loses) ? loses : restLoses;
    }
}

/// <summary>Compares names by their bytes.</summary>
internal sealed class BytesComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static BytesComparer Instance { get; } = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        var hash = default(HashCode);
        hash.AddBytes(alternate);
        return hash.ToHashCode();
    }

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
