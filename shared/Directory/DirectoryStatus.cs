namespace Trunkline.Directory;

/// <summary>How a directory call ended. Expected faults are statuses, never exceptions.</summary>
public enum DirectoryStatus : byte
{
    /// <summary>Done as asked.</summary>
    Ok,

    /// <summary>No answer: not connected, deadline missed, or the server refused (loading, read-only, out of memory). A write may or may not have taken place.</summary>
    Unavailable,

    /// <summary>The directory holds something else than what the caller compared: another token, holder or version. Nothing was changed.</summary>
    Stale,

    /// <summary>The directory's generation is new and the grace has not passed; the caller asked to wait for it. Nothing was changed.</summary>
    Recovering,

    /// <summary>This node was declared dead by another; it may hold nothing and must start again as a new incarnation. Nothing was changed.</summary>
    DeclaredDead,

    /// <summary>The tier refuses this node or value; the detail is a sentence that says why and what to do. Nothing was changed.</summary>
    Refused,

    /// <summary>More calls outstanding than <see cref="DirectoryOptions.MaxOutstanding"/>. Nothing was sent.</summary>
    Busy,

    /// <summary>
    /// The directory has nothing of this session, or an older past of it (it was emptied or rolled back): write it back by
    /// <see cref="IDirectory.RestoreHeldAsync"/>, then again. Nothing was changed.
    /// </summary>
    Missing,

    /// <summary>The stored session was written by a newer version than the caller can read. Nothing was changed; a claim that clears it succeeds.</summary>
    NewerRecord,

    /// <summary>The caller's token was cancelled. A write may or may not have taken place.</summary>
    Canceled,
}
