namespace Trunkline.Directory;

/// <summary>A claim of a client id for a node, by one atomic step.</summary>
/// <param name="ClientId">The client id; never empty, without U+0000.</param>
/// <param name="AttachNumber">The node's own rising number of attachments; checkpoints refer to it.</param>
/// <param name="Info">A short word for people about the connection (its address); kept in the record, at most 256 characters.</param>
/// <param name="Expecting">Which holder must be found.</param>
/// <param name="Expected">The holder that was read before.</param>
/// <param name="WaitsForRecovery">Answer <see cref="DirectoryStatus.Recovering"/> during the grace of a new generation instead of claiming.</param>
public readonly record struct ClaimRequest(
    string ClientId,
    long AttachNumber,
    string Info = "",
    ExpectedHolder Expecting = ExpectedHolder.Any,
    SessionToken Expected = default,
    bool WaitsForRecovery = false)
{
    /// <summary>
    /// The generation in which the session was found (<see cref="Holding.Generation"/>): there it waits no longer. In a newer
    /// one it may be yet to be written back.
    /// </summary>
    public string? FoundIn { get; init; }

    /// <summary>
    /// Applied with the claim, null for none. Where no persistent session is stored (or it expired), whatever else stands
    /// there is cleared first. A will of the connection before becomes due at once when <see cref="SessionChange.ClearsAll"/>
    /// ends its session, when its delay has passed, or when it has no delay and the claim replaces the connection; otherwise,
    /// or with <see cref="SessionChange.DropsWill"/>, it is dropped. What was due of the session is not due any more.
    /// </summary>
    public SessionChange? Change { get; init; }

    /// <summary>
    /// The newest schema version (first byte of the field "m") the caller can read. A newer record is not touched:
    /// <see cref="DirectoryStatus.NewerRecord"/>, unless the change clears it. 0: any.
    /// </summary>
    public byte KnownVersion { get; init; }
}

/// <summary>Which holder a claim expects to find.</summary>
public enum ExpectedHolder : byte
{
    /// <summary>Whoever holds it is replaced.</summary>
    Any,

    /// <summary>Exactly the token in <see cref="ClaimRequest.Expected"/> (none means: nobody), else the claim is stale.</summary>
    Exactly,

    /// <summary>Nobody, whether a session is stored or not; else the claim is stale and names the holder.</summary>
    Free,
}
