using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// The terms of one log and the running number (ordinal) each began at: turns positions into ordinals and back.
/// </summary>
internal sealed class LogTerms
{
    /// <summary>Terms remembered without a message of theirs being kept: enough for every node to come back once.</summary>
    private const int Maximum = 1024;

    private readonly List<(ulong Term, long First)> _terms = [];

    public LogTerms(ulong first) => _terms.Add((first, 1));

    /// <summary>The terms of an earlier run, oldest first; at least one.</summary>
    public LogTerms(IEnumerable<(ulong Term, long First)> terms) => _terms.AddRange(terms);

    /// <summary>All of them and the ordinal each began at.</summary>
    public IReadOnlyList<(ulong Term, long First)> All => _terms;

    public ulong Current => _terms[^1].Term;

    public int Count => _terms.Count;

    /// <summary>Takes over what others know.</summary>
    public void Replace(LogTerms other)
    {
        _terms.Clear();
        _terms.AddRange(other._terms);
    }

    /// <summary>Begins a term at the next ordinal and forgets what is no longer needed.</summary>
    public void Begin(ulong term, long nextOrdinal, long firstKept)
    {
        while (_terms.Count >= Maximum && _terms[1].First <= firstKept)
        {
            _terms.RemoveAt(0);
        }

        if (_terms.Count >= Maximum && _terms[^1].First == nextOrdinal)
        {
            // Not one message since the last raise: its number was never needed.
            _terms.RemoveAt(_terms.Count - 1);
        }

        _terms.Add((term, nextOrdinal));
    }

    /// <summary>The position of an ordinal; an ordinal before the oldest term is that term's (Term, 0).</summary>
    public LogPosition PositionOf(long ordinal)
    {
        int low = 0;
        int high = _terms.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = _terms[middle].First <= ordinal ? (middle, high) : (low, middle - 1);
        }

        return new LogPosition(_terms[low].Term, (ulong)long.Max(0, ordinal - _terms[low].First + 1));
    }

    /// <summary>The newest position when <paramref name="last"/> is the ordinal appended last.</summary>
    public LogPosition Tail(long last) => new(Current, (ulong)(last - _terms[^1].First + 1));

    /// <summary>The ordinal after a position, and whether something between may be missing.</summary>
    public long NextAfter(LogPosition after, long last, out bool isUnknown)
    {
        for (int i = _terms.Count - 1; i >= 0; i--)
        {
            (ulong term, long first) = _terms[i];
            if (term > after.Term)
            {
                continue;
            }

            long end = i + 1 < _terms.Count ? _terms[i + 1].First : last + 1;
            if (term < after.Term)
            {
                // Of a term between two of ours, or above all: never given out here.
                isUnknown = true;
                return end;
            }

            long next = after.Offset < (ulong)(end - first) ? first + (long)after.Offset : end;
            isUnknown = after.Offset > (ulong)(end - first);
            return next;
        }

        isUnknown = !after.IsNone;
        return _terms[0].First;
    }
}
