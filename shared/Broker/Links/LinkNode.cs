using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// A node as the broker knows it by its receive link; outlives the link for a named time while it is a member of shares.
/// </summary>
internal sealed class LinkNode(string name)
{
    public string Name { get; } = name;

    /// <summary>Names it for hashes.</summary>
    public ulong Key { get; } = SessionRegistry.OriginOf(name);

    /// <summary>The receive link of now; null while it is away.</summary>
    public ReceiveLink? Link { get; set; }

    /// <summary>The shares it is a member of, and its membership.</summary>
    public Dictionary<Share, ShareMember> Shares { get; } = [];

    /// <summary>When the link went away, on the loop's clock.</summary>
    public long AwaySinceMs { get; set; }
}
