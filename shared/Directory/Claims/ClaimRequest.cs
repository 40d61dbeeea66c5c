namespace Trunkline.Directory;

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

/// <summary>Which holder a claim expects to find.</summary>
public enum ExpectedHolder : byte
{
    /// <summary>Whoever holds it is replaced.</summary>
    Any,

    /// <summary>Exactly the token in <see cref="ClaimRequest.Expected"/> (none means: nobody), else the claim is stale.</summary>
    Exactly,
}
