namespace Trunkline.Directory;

/// <summary>What the directory stores about a client id.</summary>
/// <param name="Token">The holder; none when the session is stored and nobody holds it.</param>
/// <param name="AttachNumber">From the claim.</param>
/// <param name="Info">From the claim.</param>
/// <param name="SessionExists">Whether a persistent session record is stored.</param>
public readonly record struct Holding(SessionToken Token, long AttachNumber, string Info, bool SessionExists)
{
    /// <summary>The directory's generation that the node knew when it asked: the answer is of that one or a later one.</summary>
    public string? Generation { get; init; }
}
