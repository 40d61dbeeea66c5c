namespace Trunkline.Sessions;

/// <summary>
/// What a session knows of its logs while retained messages that it asked for are not all done (docs/adr/0021): which
/// parts of them were skipped, and where the messages are that pages of retained ones left to them. Exists only then. Loop
/// thread only.
/// </summary>
public sealed class PendingRetained
{
    /// <summary>Above so many skipped parts, neighbours of one group count as one, with what lies between them.</summary>
    public const int MaximumSkipped = 32;

    private readonly List<LogRange> _skipped = [];
    private readonly List<LogRange> _fresh = [];
    private readonly List<LogRange> _left = [];
    private readonly List<GroupPosition> _held = [];
    private LogRange[] _given = [];

    /// <summary>Whether pages were handed over whole since that was last looked at.</summary>
    public bool IsHandedOver { get; set; }

    /// <summary>Everything that was skipped: what the session's record is to say.</summary>
    public IReadOnlyList<LogRange> Skipped => _skipped;

    /// <summary>The skipped parts whose retained messages the pages under way are to give.</summary>
    public IReadOnlyList<LogRange> Given => _given;

    /// <summary>Whether something was skipped that the record is not being told yet.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Whether a skipped part may hold what a page left to the log, so that the pages are to be asked for again.</summary>
    public bool IsDue => _fresh.Exists(fresh => _left.Exists(left => left.Meets(fresh)));

    /// <summary>The record of a restored session says what was skipped: the first pages give it.</summary>
    public void Restore(IEnumerable<LogRange> skipped)
    {
        _skipped.AddRange(skipped);
        _given = [.. _skipped];
    }

    /// <summary>The session gets nothing of a part of a log.</summary>
    public void Skip(in LogRange part)
    {
        int group = part.Group;
        if (part.UpTo <= part.After)
        {
            return;
        }

        Add(_skipped, part);
        Add(_fresh, part);
        if (!_held.Exists(held => held.Group == group))
        {
            _held.Add(new GroupPosition(group, part.After));
        }

        IsDirty = true;
    }

    /// <summary>
    /// Up to where a checkpoint may say that a group is done while the record does not say what was skipped;
    /// <see cref="LogPosition.None"/> for anywhere.
    /// </summary>
    public LogPosition HeldAt(int group) => SessionState.Of(_held, group);

    /// <summary>The record says everything that was skipped.</summary>
    public void Recorded() => _held.Clear();

    /// <summary>A page left retained messages to the log: they lie in this part of it.</summary>
    public void Leave(in LogRange part)
    {
        int group = part.Group;
        int index = _left.FindIndex(left => left.Group == group);
        if (index < 0)
        {
            _left.Add(part);
            return;
        }

        LogRange left = _left[index];
        _left[index] = new LogRange(
            group, part.After < left.After ? part.After : left.After, part.UpTo > left.UpTo ? part.UpTo : left.UpTo);
    }

    /// <summary>The last of what pages left to a group's log; <see cref="LogPosition.None"/> for nothing.</summary>
    public LogPosition LeftUpTo(int group)
    {
        int index = _left.FindIndex(left => left.Group == group);
        return index < 0 ? LogPosition.None : _left[index].UpTo;
    }

    /// <summary>Pages are asked for again: they give what was skipped until now, and say anew what they leave to the log.</summary>
    public void BeginAgain()
    {
        _given = [.. _fresh];
        _fresh.Clear();
        _left.RemoveAll(left => Array.Exists(_given, given => given.Group == left.Group));
    }

    private static void Add(List<LogRange> parts, LogRange part)
    {
        // What a queue lets go may lie before what a cursor has skipped since.
        int before = parts.FindLastIndex(each => each.Group == part.Group && each.After <= part.After);
        if (before >= 0 && parts[before].UpTo >= part.After)
        {
            parts[before] = parts[before] with { UpTo = part.UpTo > parts[before].UpTo ? part.UpTo : parts[before].UpTo };
            return;
        }

        int behind = before >= 0 ? before + 1 : parts.FindIndex(each => each.Group == part.Group);
        parts.Insert(behind >= 0 ? behind : parts.Count, part);
        if (parts.Count <= MaximumSkipped)
        {
            return;
        }

        int first = parts.FindIndex(each => each.Group == part.Group);
        int second = parts.FindIndex(first + 1, each => each.Group == part.Group);
        if (second > 0)
        {
            parts[first] = parts[first] with { UpTo = parts[second].UpTo };
            parts.RemoveAt(second);
        }
    }
}
