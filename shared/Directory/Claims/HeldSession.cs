namespace Trunkline.Directory;

/// <summary>A session this node holds, to be verified or written back.</summary>
/// <param name="ClientId">The client id.</param>
/// <param name="Token">The token this node has.</param>
/// <param name="AttachNumber">From its claim.</param>
/// <param name="Info">From its claim.</param>
public readonly record struct HeldSession(string ClientId, SessionToken Token, long AttachNumber, string Info = "")
{
    /// <summary>
    /// The whole session as this node has it, for writing back: it replaces what is stored, also where the token is still
    /// there, for a directory that went back in time may have lost later writes. Null: nothing but the claim (no session, no will).
    /// </summary>
    public SessionChange? Record { get; init; }
}

/// <summary>How a held session stands in the directory.</summary>
/// <param name="Held">As it was asked.</param>
/// <param name="Standing">The finding.</param>
/// <param name="Other">Stale: who holds it now. Restored over an older holder: that holder, which should be told (<see cref="IDirectory.RequestTakeOverAsync"/>).</param>
public readonly record struct HeldFinding(HeldSession Held, HeldStanding Standing, SessionToken Other);

/// <summary>Findings about a held session.</summary>
public enum HeldStanding : byte
{
    /// <summary>The directory has exactly this token; when writing back, the record was written all the same.</summary>
    Held,

    /// <summary>Another holder came later: close the connection with 0x8E.</summary>
    Stale,

    /// <summary>The directory has nothing, or an older holder (it was emptied or rolled back): restore it.</summary>
    Missing,

    /// <summary>It was written back.</summary>
    Restored,
}
