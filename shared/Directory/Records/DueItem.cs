namespace Trunkline.Directory;

/// <summary>Something of a session whose time has come. Any node may do it; done twice it must be as if done once.</summary>
/// <param name="ClientId">The client id.</param>
/// <param name="Epoch">Will: of the connection that gave it; with the client id it identifies the message. Expiry: of the record.</param>
/// <param name="Kind">What is due.</param>
/// <param name="Will">Will: the bytes of the field "w". Expiry: empty.</param>
public sealed record DueItem(string ClientId, long Epoch, DueKind Kind, ReadOnlyMemory<byte> Will);

/// <summary>What may be due.</summary>
public enum DueKind : byte
{
    /// <summary>Publish the will, then <see cref="IDirectory.FinishDueAsync"/>.</summary>
    Will,

    /// <summary>The session ends: <see cref="IDirectory.FinishDueAsync"/> deletes it.</summary>
    Expiry,
}
