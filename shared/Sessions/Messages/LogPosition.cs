namespace Trunkline.Sessions;

/// <summary>
/// A place in a group's log: (term, offset), compared in that order. A restart of the broker begins a new term, so a
/// position never goes back.
/// </summary>
/// <param name="Term">The broker's term, 1 or more; 0 only in <see cref="None"/>.</param>
/// <param name="Offset">The ordinal of the message within the term, from 1; 0 is the position before the first.</param>
public readonly record struct LogPosition(ulong Term, ulong Offset) : IComparable<LogPosition>
{
    /// <summary>No position: before every message of every term.</summary>
    public static LogPosition None => default;

    /// <summary>Whether this is <see cref="None"/>.</summary>
    public bool IsNone => Term == 0;

    /// <summary>The position just before a message's: reading after it begins with that message.</summary>
    public LogPosition Before => Offset == 0 ? this : new LogPosition(Term, Offset - 1);

    /// <inheritdoc/>
    public int CompareTo(LogPosition other) =>
        Term != other.Term ? Term.CompareTo(other.Term) : Offset.CompareTo(other.Offset);

    /// <summary>Whether <paramref name="left"/> lies before <paramref name="right"/>.</summary>
    public static bool operator <(LogPosition left, LogPosition right) => left.CompareTo(right) < 0;

    /// <summary>Whether <paramref name="left"/> lies after <paramref name="right"/>.</summary>
    public static bool operator >(LogPosition left, LogPosition right) => left.CompareTo(right) > 0;

    /// <summary>Whether <paramref name="left"/> lies at or before <paramref name="right"/>.</summary>
    public static bool operator <=(LogPosition left, LogPosition right) => left.CompareTo(right) <= 0;

    /// <summary>Whether <paramref name="left"/> lies at or after <paramref name="right"/>.</summary>
    public static bool operator >=(LogPosition left, LogPosition right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override string ToString() => $"{Term}:{Offset}";
}
