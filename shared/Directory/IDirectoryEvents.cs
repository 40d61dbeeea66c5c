using Trunkline.Topics;

namespace Trunkline.Directory;

/// <summary>
/// What the directory tells its node. Calls come from any thread, one at a time apart from
/// <see cref="TakeOverRequested"/>, and must not block: post to a loop and return.
/// </summary>
public interface IDirectoryEvents
{
    /// <summary>The state changed.</summary>
    void StateChanged(DirectoryHealth health);

    /// <summary>Another node is there.</summary>
    void NodeAppeared(NodeInfo node);

    /// <summary>Another node is gone.</summary>
    void NodeGone(NodeInfo node, NodeGoneReason reason);

    /// <summary>This node was declared dead: close all devices, dispose this directory, start again with a new <see cref="NodeId"/>. Once.</summary>
    void DeclaredDead(string reason);

    /// <summary>Another node took a client id over.</summary>
    void TakeOverRequested(TakeOverRequest request);

    /// <summary>What this node holds is in doubt; ask or write back in batches.</summary>
    void HeldInDoubt(HeldDoubt doubt);

    /// <summary>A slot map newer than any before was found.</summary>
    void SlotMapChanged(SlotMap map);
}

/// <summary>Why held sessions are in doubt.</summary>
public enum HeldDoubt : byte
{
    /// <summary>The connection was lost for a while, take-over requests may have been missed: <see cref="IDirectory.VerifyHeldAsync"/>, close the stale, restore the missing.</summary>
    Reconnected,

    /// <summary>The generation is new, the directory may have forgotten: <see cref="IDirectory.RestoreHeldAsync"/> for all, close the stale.</summary>
    NewGeneration,
}
