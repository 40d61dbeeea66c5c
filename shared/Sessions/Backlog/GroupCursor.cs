namespace Trunkline.Sessions;

/// <summary>How a session stands to one group's log.</summary>
internal enum CursorState : byte
{
    /// <summary>Fed by live messages.</summary>
    Live,

    /// <summary>Logged messages come from the log, after the cursor; live ones are passed over, for they come from there too.</summary>
    Behind,

    /// <summary>Live again, but a page reached further than the live messages have come: those up to the cursor are passed over.</summary>
    Ahead,
}

/// <summary>Where one session stands in one group's log while it is not simply live there.</summary>
internal struct GroupCursor
{
    /// <summary>Everything up to here was done, passed over, is in flight or waits. Only while not live.</summary>
    public LogPosition Position;

    /// <summary>A filter is live on the receive link only after this position: the session is not live before it.</summary>
    public LogPosition LiveAfter;

    /// <summary>Filters whose live start is still awaited: not live before they have answered.</summary>
    public int Awaited;

    /// <summary>Messages that may be delivered before the limits are looked at again; 0 or less: before the next page.</summary>
    public long MessagesAllowed;

    /// <summary>The same in bytes.</summary>
    public long BytesAllowed;

    /// <summary>When what is allowed has gone, everything up to here is passed over; none unless the newest are to be dropped.</summary>
    public LogPosition SkipTo;

    public CursorState State;

    /// <summary>The read under way or waiting its turn, or null.</summary>
    public BacklogRead? Read;
}
