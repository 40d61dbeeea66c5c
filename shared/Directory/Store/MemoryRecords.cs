using Trunkline.Topics;

namespace Trunkline.Directory;

/// <summary>
/// The records and what is due, with the few ways in which they change: a step on sessions changes them by these methods
/// only. Under the gate of <see cref="DirectoryMemory"/>.
/// </summary>
internal sealed class MemoryRecords
{
    private readonly ItemTable<string, MemorySession, MemorySession.ByClientId> _sessions = new();
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _wills = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _dueAt = new(StringComparer.Ordinal);
    private readonly SortedSet<(long Us, string Member)>?[] _due = new SortedSet<(long, string)>?[Bucket.Count];

    /// <summary>Where changes are noted, or null.</summary>
    internal RecordEffects? Effects { get; set; }

    /// <summary>Every record now; none may be made or dropped meanwhile.</summary>
    internal IEnumerable<MemorySession> Sessions => _sessions.Items;

    internal int SessionCount => _sessions.Count;

    internal MemorySession? Find(string clientId) => _sessions.Find(clientId);

    /// <summary>Writes the directory's own part, making the record if there is none.</summary>
    internal void SetHeader(string clientId, MemoryHeader header)
    {
        MemorySession? session = _sessions.Find(clientId);
        if (session is null)
        {
            session = new(clientId);
            _sessions.Add(session);
        }

        session.Header = header;
        Effects?.Header(clientId, header);
    }

    internal void SetField(string clientId, string name, ReadOnlyMemory<byte> value)
    {
        _sessions.Find(clientId)!.SetField(name, value.ToArray());
        Effects?.Field(clientId, name, value);
    }

    internal void DeleteField(string clientId, string name)
    {
        // Done once more when the disk is read, it may be gone by a later part of its step.
        if (_sessions.Find(clientId)?.DeleteField(name) == true)
        {
            Effects?.FieldGone(clientId, name);
        }
    }

    internal void Drop(string clientId)
    {
        if (_sessions.Remove(clientId) is not null)
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

    /// <summary>Notes everything; calls back between any two things.</summary>
    internal void WriteTo(RecordEffects effects, Action between)
    {
        foreach (MemorySession session in _sessions.Items)
        {
            string clientId = session.ClientId;
            effects.Header(clientId, session.Header);
            between();
            foreach ((string name, ReadOnlyMemory<byte> value) in session.Fields)
            {
                effects.Field(clientId, name, value);
                between();
            }
        }

        foreach ((string owed, ReadOnlyMemory<byte> will) in _wills)
        {
            effects.Will(owed, will);
            between();
        }

        foreach ((long us, string member) in _due.OfType<SortedSet<(long, string)>>().SelectMany(due => due))
        {
            effects.Due(DueMember.TryReadOwed(member, out _, out string clientId) ? clientId : DueMember.ClientIdOf(member), member, us);
            between();
        }
    }
}
