using Trunkline.Sessions;

namespace Trunkline.Directory;

/// <summary>What is stored about a session.</summary>
/// <param name="Token">The holder; none when nobody holds it.</param>
/// <param name="AttachNumber">From the last claim, also after its node died; 0 after an orderly end.</param>
/// <param name="Info">From the claim; empty when nobody holds it.</param>
/// <param name="Exists">Whether a persistent session is stored.</param>
/// <param name="ExpirySeconds">Its expiry, <see cref="SessionChange.NeverExpires"/> for never; 0 when it is not persistent.</param>
/// <param name="Fields">Its fields, in no order.</param>
public sealed record StoredSession(
    SessionToken Token, long AttachNumber, string Info, bool Exists, uint ExpirySeconds, IReadOnlyList<SessionField> Fields)
{
    /// <summary>The node whose death detached the session, for people; none after an orderly end.</summary>
    public NodeId LastNode { get; init; }

    /// <summary>
    /// Where the checkpoint of a node that died had the session: per group its position is the higher of this and the one
    /// in the field "p". Null when no checkpoint covered it, which is: "p" alone. The node's checkpoint itself is gone by then.
    /// </summary>
    public IReadOnlyList<LogPosition>? Checkpoint { get; init; }

    /// <summary>Delay of the stored will, or null without a will.</summary>
    public uint? WillDelaySeconds { get; init; }
}
