using Microsoft.Extensions.Logging;
using Trunkline.Directory;
using Trunkline.Topics;

namespace Trunkline.Proxy;

/// <summary>
/// What the directory tells this node: take-overs go to the loop that owns the identifier, doubts to every loop, a newer
/// slot table to the links. Called on any thread; never blocks.
/// </summary>
internal sealed partial class DirectoryEvents(
    Func<string, ConnectionGate> gateOf,
    IReadOnlyList<HeldReview> reviews,
    Action<SlotMap> slotsChanged,
    Action<string> declaredDead,
    ILogger logger) : IDirectoryEvents
{
    /// <summary>Told that another node is gone: dead, or it left and may have had wills in mind; may be null.</summary>
    public Action? NodeIsGone { get; init; }

    /// <inheritdoc/>
    public void StateChanged(DirectoryHealth health)
    {
        // The directory logs it itself (3005); health shows it.
    }

    /// <inheritdoc/>
    public void NodeAppeared(NodeInfo node) => LogNode(logger, node.Name, node.Id, "joined");

    /// <inheritdoc/>
    public void NodeGone(NodeInfo node, NodeGoneReason reason)
    {
        LogNode(logger, node.Name, node.Id, reason == NodeGoneReason.Left ? "left" : "is dead: its lease stood still");
        NodeIsGone?.Invoke();
    }

    /// <inheritdoc/>
    public void DeclaredDead(string reason) => declaredDead(reason);

    /// <inheritdoc/>
    public void TakeOverRequested(TakeOverRequest request)
    {
        ConnectionGate gate = gateOf(request.ClientId);
        gate.Loop.Post(() => gate.LetGo(request.ClientId, request.OldToken, request.NewToken, request.Confirm));
    }

    /// <inheritdoc/>
    public void HeldInDoubt(HeldDoubt doubt)
    {
        foreach (HeldReview review in reviews)
        {
            review.Loop.Post(() => review.Begin(doubt));
        }
    }

    /// <inheritdoc/>
    public void SlotMapChanged(SlotMap map) => slotsChanged(map);

    [LoggerMessage(1101, LogLevel.Information, "Node {Name} ({Id}) {Event}.")]
    private static partial void LogNode(ILogger logger, string name, NodeId id, string @event);
}
