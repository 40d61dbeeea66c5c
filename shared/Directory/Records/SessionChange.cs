namespace Trunkline.Directory;

/// <summary>
/// A change of a stored session, applied in one step: what is there is cleared first if asked, then fields are set and
/// deleted. Fields it does not name stay, also those of a newer version.
/// </summary>
public sealed record SessionChange
{
    /// <summary>An expiry that never comes.</summary>
    public const uint NeverExpires = uint.MaxValue;

    /// <summary>Changes nothing.</summary>
    public static SessionChange None { get; } = new();

    /// <summary>Everything stored is dropped first, expiry and will included: Clean Start.</summary>
    public bool ClearsAll { get; init; }

    /// <summary>Fields that are set; each name once.</summary>
    public IReadOnlyList<SessionField> Sets { get; init; } = [];

    /// <summary>Names of fields that are deleted; a name that is not stored is no error.</summary>
    public IReadOnlyList<string> Deletes { get; init; } = [];

    /// <summary>
    /// Session expiry in seconds; null leaves it. Above 0 the record is one of a persistent session, which stays when its
    /// connection ends; at 0 (also: never given) it goes with its connection, and only a will that is due outlives that.
    /// </summary>
    public uint? ExpirySeconds { get; init; }

    /// <summary>Delay of the will in seconds, given together with the field "w"; null leaves it.</summary>
    public uint? WillDelaySeconds { get; init; }

    /// <summary>
    /// The will is dropped: after DISCONNECT with reason 0x00, or because the caller published it. In a claim this is about
    /// the will of the connection before; a will that is set in the same change is kept.
    /// </summary>
    public bool DropsWill { get; init; }

    /// <summary>
    /// In a detach: the device was sent away to another node, so its will is due after so many seconds, or after its delay if
    /// that is longer, and any claim before that drops it; null: it is due as its delay and the session's end say.
    /// </summary>
    public uint? WillWaitSeconds { get; init; }

    /// <summary>Throws for a change that no caller may make: a name of the directory's own, or a will without its delay.</summary>
    internal void Check()
    {
        bool setsWill = false;
        foreach (SessionField field in Sets)
        {
            CheckName(field.Name);
            setsWill |= field.Name == SessionField.Will;
        }

        foreach (string name in Deletes)
        {
            CheckName(name);
            if (name == SessionField.Will)
            {
                throw new ArgumentException("A will is dropped by DropsWill.");
            }
        }

        if (DropsWill && WillWaitSeconds.HasValue)
        {
            throw new ArgumentException("A will that is dropped does not wait.");
        }

        if (setsWill != WillDelaySeconds.HasValue)
        {
            throw new ArgumentException("The field w and WillDelaySeconds are given together.");
        }
    }

    private static void CheckName(string name)
    {
        if (!SessionField.IsName(name))
        {
            throw new ArgumentException($"'{name}' is not the name of a session's field.");
        }
    }
}
