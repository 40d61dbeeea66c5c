namespace Trunkline.Directory;

/// <summary>A claim that was granted, or (status Stale) the holder that was found instead of the expected one.</summary>
/// <param name="Token">The new token; none when stale.</param>
/// <param name="Previous">Who held the client id before; none when nobody did. With another node here: <see cref="IDirectory.RequestTakeOverAsync"/>.</param>
/// <param name="SessionExists">Whether a persistent session was stored for the client id, and had not expired.</param>
public readonly record struct Claim(SessionToken Token, SessionToken Previous, bool SessionExists)
{
    /// <summary>The session as it was before this claim and its change; null when none was stored, when the change cleared it, and when stale.</summary>
    public StoredSession? Record { get; init; }

    /// <summary>The claim made the will of an earlier connection due at once: the due work of this client id's bucket should run now.</summary>
    public bool OwesWill { get; init; }

    /// <summary>The generation of the directory that answered, also when stale.</summary>
    public string? Generation { get; init; }
}
