namespace Trunkline.Directory;

/// <summary>A claim that was granted, or (status Stale) the holder that was found instead of the expected one.</summary>
/// <param name="Token">The new token; none when stale.</param>
/// <param name="Previous">Who held the client id before; none when nobody did. With another node here: <see cref="IDirectory.RequestTakeOverAsync"/>.</param>
/// <param name="SessionExists">Whether a persistent session record is stored for the client id.</param>
public readonly record struct Claim(SessionToken Token, SessionToken Previous, bool SessionExists);
