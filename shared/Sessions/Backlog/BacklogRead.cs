namespace Trunkline.Sessions;

/// <summary>
/// One reading of a group's log for one session: made by the session when it has room, served by the router with the
/// messages of one page, then completed. The session gives it up (<see cref="IsOver"/>) when its connection ends or it
/// takes no more of this page. Loop thread only.
/// </summary>
public sealed class BacklogRead
{
    private LogPosition _limit = new(ulong.MaxValue, ulong.MaxValue);
    private LogPosition _counted;

    internal BacklogRead(Session session, int group)
    {
        Session = session;
        Group = group;
    }

    /// <summary>The session that reads.</summary>
    public Session Session { get; }

    /// <summary>The group whose log is read.</summary>
    public int Group { get; }

    /// <summary>Everything up to here is settled for the session; what lies after it is wanted. Moves as messages are taken.</summary>
    public LogPosition After => Session.CursorOf(Group);

    /// <summary>Whether the session takes nothing more by this read.</summary>
    public bool IsOver { get; internal set; }

    /// <summary>
    /// Free for the router: the page that was asked for, by the filters the session held at that time. It takes messages of
    /// this one only: renewed while a page is being delivered it would go on amid that page, past what it did not take.
    /// </summary>
    public object? Page { get; set; }

    /// <summary>Whether a page went by without reaching the session's place.</summary>
    public bool WasPassedOver { get; private set; }

    /// <summary>Whether the session's limits are to be looked at before more is delivered.</summary>
    public bool NeedsCheck => !IsOver && Session.NeedsLimitCheck(Group);

    /// <summary>While its backlog is counted it takes nothing.</summary>
    public bool IsCounting { get; set; }

    /// <summary>Whether the log may have lost messages that this page would have held.</summary>
    public bool MayHaveLost { get; set; }

    /// <summary>Messages counted on a page, each once.</summary>
    public long Counted { get; private set; }

    /// <summary>Their bytes.</summary>
    public long CountedBytes { get; private set; }

    /// <summary>Counts a message of a page; once, by however many filters it is wanted.</summary>
    public void Count(LogPosition position, int bytes)
    {
        if (position > _counted)
        {
            _counted = position;
            Counted++;
            CountedBytes += bytes;
        }
    }

    /// <summary>Its backlog is within the limits.</summary>
    public void Allow() => Session.AllowBacklog(Group);

    /// <summary>
    /// Its backlog was counted. Goes on after <paramref name="newest"/> (drop oldest), leaves out the newest (drop newest)
    /// or closes the connection, when <paramref name="skipped"/> says that it is above a limit.
    /// </summary>
    /// <param name="newest">After it only what is within the limits remains.</param>
    /// <param name="skipped">Messages before it.</param>
    /// <param name="left">Messages after it.</param>
    /// <param name="aged">Messages before it that were too old, not among the skipped.</param>
    public void ApplyLimits(LogPosition newest, long skipped, long left, long aged) =>
        Session.ApplyBacklogLimits(Group, newest, skipped, left, aged);

    /// <summary>A message of the page waited longer than a backlog may: it is passed over. Ask <see cref="Wants(LogPosition)"/> first.</summary>
    public void PassAged(LogPosition position) => Session.PassAged(Group, position);

    /// <summary>Moves the session's place forward: none of its filters wants anything up to there.</summary>
    public void SkipTo(LogPosition position) => Session.SkipTo(Group, position);

    /// <summary>Makes it wait for another page, by the filters the session holds then.</summary>
    public void Renew(bool wasPassedOver)
    {
        Page = null;
        MayHaveLost = false;
        Counted = 0;
        CountedBytes = 0;
        _counted = LogPosition.None;
        WasPassedOver |= wasPassedOver;
        _limit = new LogPosition(ulong.MaxValue, ulong.MaxValue);
    }

    /// <summary>Whether a message at this position is to be delivered by this read.</summary>
    public bool Wants(LogPosition position) => !IsOver && !IsCounting && position > After && position <= _limit;

    /// <summary>Whether this page's message at this position is to be delivered by this read.</summary>
    public bool Wants(object page, LogPosition position) => ReferenceEquals(Page, page) && Wants(position);

    /// <summary>Whether a message at this position still waits for the session, be it by this read or a later one.</summary>
    public bool IsWaiting(LogPosition position) => !IsOver && !IsCounting && position > After;

    /// <summary>
    /// The page is over: up to <paramref name="upTo"/> the session got everything its filters match, unless it gave up
    /// before. The session goes live, or reads on when it has room.
    /// </summary>
    public void Complete(LogPosition upTo) => Session.CompleteRead(this, upTo < _limit ? upTo : _limit);

    /// <summary>
    /// The session's filters have changed: a page that was asked for before says nothing about later messages of the new
    /// ones, so it counts up to here only.
    /// </summary>
    internal void LimitTo(LogPosition position)
    {
        if (Page is not null && position < _limit)
        {
            _limit = position;
        }
    }
}
