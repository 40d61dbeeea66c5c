namespace Trunkline.Sessions;

/// <summary>
/// The places of one session in the logs of the groups it is not live at. Exists only while there is one such group, so
/// that a live session pays one reference for it. Loop thread only.
/// </summary>
internal sealed class SessionBacklog(int groups)
{
    private readonly GroupCursor[] _cursors = new GroupCursor[groups];

    public int Groups => _cursors.Length;

    public ref GroupCursor this[int group] => ref _cursors[group];

    /// <summary>A restored session begins behind in a group.</summary>
    public void Begin(int group, LogPosition after)
    {
        _cursors[group].State = CursorState.Behind;
        _cursors[group].Position = after;
    }

    /// <summary>Whether every group is live, so that this is needed no longer.</summary>
    public bool IsAllLive
    {
        get
        {
            foreach (ref readonly GroupCursor cursor in _cursors.AsSpan())
            {
                if (cursor.State != CursorState.Live)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>
    /// Whether a live message is to be taken. One at or before the cursor came on a page; one of a group that is behind
    /// will come on one.
    /// </summary>
    public bool TakesLive(int group, LogPosition position)
    {
        ref GroupCursor cursor = ref _cursors[group];
        if (cursor.State == CursorState.Ahead && position > cursor.Position)
        {
            // Live messages come in order: every later one lies after the cursor, too.
            cursor.State = CursorState.Live;
        }

        return cursor.State == CursorState.Live;
    }
}
