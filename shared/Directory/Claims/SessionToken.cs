namespace Trunkline.Directory;

/// <summary>Who may write a session; always compared whole.</summary>
/// <param name="Epoch">Rises with every claim of the client id: max(stored + 1, directory time in us).</param>
/// <param name="Node">The holder.</param>
public readonly record struct SessionToken(long Epoch, NodeId Node)
{
    /// <summary>No token: nobody holds the session.</summary>
    public static SessionToken None => default;

    /// <summary>Whether this is no token.</summary>
    public bool IsNone => Node.IsNone;

    /// <summary>"epoch@node".</summary>
    public override string ToString() => $"{Epoch}@{Node}";
}
