namespace Trunkline.Directory;

/// <summary>
/// The records and what is due, with the few ways in which they change: a step on sessions changes them by these methods
/// only. Under the gate of <see cref="DirectoryMemory"/>.
/// </summary>
internal sealed class MemoryRecords
{
    private readonly Dictionary<string, MemorySession> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _wills = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _dueAt = new(StringComparer.Ordinal);
    private readonly SortedSet<(long Us, string Member)>?[] _due = new SortedSet<(long, string)>?[Bucket.Count];

    /// <summary>Where changes are noted, or null.</summary>
    internal RecordEffects? Effects { get; set; }

    internal IReadOnlyDictionary<string, MemorySession> Sessions => _sessions;

    internal MemorySession? Find(string clientId) => _sessions.GetValueOrDefault(clientId);

    /// <summary>Writes the directory's own part, making the record if there is none.</summary>
    internal void SetHeader(string clientId, MemoryHeader header)
    {
        if (!_sessions.TryGetValue(clientId, out MemorySession? session))
        {
            _sessions[clientId] = session = new();
        }

        session.Header = header;
        Effects?.Header(clientId, header);
    }

    internal void SetField(string clientId, string name, ReadOnlyMemory<byte> value)
    {
        _sessions[clientId].Fields[name] = value.ToArray();
        Effects?.Field(clientId, name, value);
    }

    internal void DeleteField(string clientId, string name)
    {
        if (_sessions[clientId].Fields.Remove(name))
        {
            Effects?.FieldGone(clientId, name);
        }
    }

    internal void Drop(string clientId)
    {
        if (_sessions.Remove(clientId))
        {
            Effects?.Gone(clientId);
        }
    }

    /// <summary>A will that stands apart from its session; null drops it.</summary>
    internal void SetWill(string owed, ReadOnlyMemory<byte>? will)
    {
        if (will is { } bytes)
        {
            _wills[owed] = bytes;
        }
        else if (!_wills.Remove(owed))
        {
            return;
        }

        Effects?.Will(owed, will);
    }

    internal ReadOnlyMemory<byte> Will(string owed) => _wills.GetValueOrDefault(owed);

    /// <summary>When something is due; null: not at all.</summary>
    internal void SetDue(string clientId, string member, long? us)
    {
        SortedSet<(long, string)> due = _due[Bucket.Of(clientId)] ??= new(Comparer<(long Us, string Member)>.Create(
            static (x, y) => x.Us != y.Us ? x.Us.CompareTo(y.Us) : string.CompareOrdinal(x.Member, y.Member)));
        if (_dueAt.Remove(member, out long old))
        {
            due.Remove((old, member));
        }
        else if (us is null)
        {
            return;
        }

        Effects?.Due(clientId, member, us);

        if (us is { } at)
        {
            _dueAt[member] = at;
            due.Add((at, member));
        }
    }

    internal bool IsDue(string member, long nowUs) => _dueAt.TryGetValue(member, out long at) && at <= nowUs;

    internal IReadOnlyList<string> Due(int bucket, long nowUs, int maximum) =>
        _due[bucket] is { } due ? [.. due.TakeWhile(entry => entry.Us <= nowUs).Take(maximum).Select(entry => entry.Member)] : [];

    /// <summary>Notes everything; calls back between any two records.</summary>
    internal void WriteTo(RecordEffects effects, Action between)
    {
        foreach ((string clientId, MemorySession session) in _sessions)
        {
            effects.Header(clientId, session.Header);
            foreach ((string name, ReadOnlyMemory<byte> value) in session.Fields)
            {
                effects.Field(clientId, name, value);
            }

            between();
        }

        foreach ((string owed, ReadOnlyMemory<byte> will) in _wills)
        {
            effects.Will(owed, will);
        }

        foreach ((long us, string member) in _due.OfType<SortedSet<(long, string)>>().SelectMany(due => due))
        {
            effects.Due(DueMember.TryReadOwed(member, out _, out string clientId) ? clientId : DueMember.ClientIdOf(member), member, us);
            between();
        }
    }
}
