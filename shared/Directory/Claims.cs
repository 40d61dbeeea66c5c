namespace Trunkline.Directory;

/// <summary>Which holder a claim expects to find.</summary>
public enum ExpectedHolder : byte
{
    /// <summary>Whoever holds it is replaced.</summary>
    Any,

    /// <summary>Exactly the token in <see cref="ClaimRequest.Expected"/> (none means: nobody), else the claim is stale.</summary>
    Exactly,
}

/// <summary>A claim of a client id for a node, by one atomic step.</summary>
/// <param name="ClientId">The client id; never empty, without U+0000.</param>
/// <param name="AttachNumber">The node's own rising number of attachments; checkpoints refer to it.</param>
/// <param name="Info">A short word for people about the connection (its address); kept in the record, at most 256 characters.</param>
/// <param name="Expecting">Whether <paramref name="Expected"/> is compared.</param>
/// <param name="Expected">The holder that was read before.</param>
/// <param name="WaitsForRecovery">Answer <see cref="DirectoryStatus.Recovering"/> during the grace of a new generation instead of claiming.</param>
public readonly record struct ClaimRequest(
    string ClientId,
    long AttachNumber,
    string Info = "",
    ExpectedHolder Expecting = ExpectedHolder.Any,
    SessionToken Expected = default,
    bool WaitsForRecovery = false);

/// <summary>A claim that was granted, or (status Stale) the holder that was found instead of the expected one.</summary>
/// <param name="Token">The new token; none when stale.</param>
/// <param name="Previous">Who held the client id before; none when nobody did. With another node here: <see cref="IDirectory.RequestTakeOverAsync"/>.</param>
/// <param name="SessionExists">Whether a persistent session record is stored for the client id.</param>
public readonly record struct Claim(SessionToken Token, SessionToken Previous, bool SessionExists);

/// <summary>What the directory stores about a client id.</summary>
/// <param name="Token">The holder; none when the session is stored and nobody holds it.</param>
/// <param name="AttachNumber">From the claim.</param>
/// <param name="Info">From the claim.</param>
/// <param name="SessionExists">Whether a persistent session record is stored.</param>
public readonly record struct Holding(SessionToken Token, long AttachNumber, string Info, bool SessionExists);

/// <summary>A session this node holds, to be verified or written back.</summary>
/// <param name="ClientId">The client id.</param>
/// <param name="Token">The token this node has.</param>
/// <param name="AttachNumber">From its claim.</param>
/// <param name="Info">From its claim.</param>
public readonly record struct HeldSession(string ClientId, SessionToken Token, long AttachNumber, string Info = "");

/// <summary>How a held session stands in the directory.</summary>
/// <param name="Held">As it was asked.</param>
/// <param name="Standing">The finding.</param>
/// <param name="Other">Stale: who holds it now. Restored over an older holder: that holder, which should be told (<see cref="IDirectory.RequestTakeOverAsync"/>).</param>
public readonly record struct HeldFinding(HeldSession Held, HeldStanding Standing, SessionToken Other);

/// <summary>Findings about a held session.</summary>
public enum HeldStanding : byte
{
    /// <summary>The directory has exactly this token.</summary>
    Held,

    /// <summary>Another holder came later: close the connection with 0x8E.</summary>
    Stale,

    /// <summary>The directory has nothing, or an older holder (it was emptied or rolled back): restore it.</summary>
    Missing,

    /// <summary>It was written back.</summary>
    Restored,
}
