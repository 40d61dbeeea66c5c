using Microsoft.Extensions.Logging;
using Trunkline.Directory;
using Trunkline.Links;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Proxy;

/// <summary>
/// What the directory tells this node: take-overs go to the loop that owns the identifier, a newer slot table to the
/// links. Called on any thread; never blocks.
/// </summary>
internal sealed partial class DirectoryEvents(
    Func<string, ConnectionGate> gateOf,
    IReadOnlyList<(SessionContext Context, ConnectionGate Gate)> loops,
    Action<string> declaredDead,
    ILogger logger) : IDirectoryEvents
{
    private IDirectory? _directory;
    private LinkNode? _links;

    /// <summary>Set once while wiring, before the directory is joined.</summary>
    public void Wire(IDirectory directory, LinkNode links)
    {
        _directory = directory;
        _links = links;
    }

    /// <inheritdoc/>
    public void StateChanged(DirectoryHealth health) => LogState(logger, health.State, health.Detail);

    /// <inheritdoc/>
    public void NodeAppeared(NodeInfo node) => LogNode(logger, node.Name, node.Id, "joined");

    /// <inheritdoc/>
    public void NodeGone(NodeInfo node, NodeGoneReason reason) =>
        LogNode(logger, node.Name, node.Id, reason == NodeGoneReason.Left ? "left" : "is dead: its lease stood still");

    /// <inheritdoc/>
    public void DeclaredDead(string reason) => declaredDead(reason);

    /// <inheritdoc/>
    public void TakeOverRequested(TakeOverRequest request)
    {
        ConnectionGate gate = gateOf(request.ClientId);
        gate.Loop.Post(() =>
        {
            gate.LetGo(request.ClientId, request.OldToken);
            request.Confirm();
        });
    }

    /// <inheritdoc/>
    public void HeldInDoubt(HeldDoubt doubt)
    {
        foreach ((SessionContext context, ConnectionGate gate) in loops)
        {
            context.Loop.Post(() => Check(gate, [.. gate.Held()], doubt == HeldDoubt.NewGeneration));
        }
    }

    /// <inheritdoc/>
    public void SlotMapChanged(SlotMap map)
    {
        LogSlots(logger, map.Version, map.GroupCount);
        _links!.UpdateSlots(map);
    }

    /// <summary>Asks how the held sessions stand: the stale are closed, those the directory lost are written back.</summary>
    private void Check(ConnectionGate gate, IReadOnlyList<HeldSession> held, bool restore)
    {
        if (held.Count == 0)
        {
            return;
        }

        ValueTask<DirectoryResult<IReadOnlyList<HeldFinding>>> call =
            restore ? _directory!.RestoreHeldAsync(held) : _directory!.VerifyHeldAsync(held);
        call.Then((this, gate, restore), static (state, result) =>
        {
            (DirectoryEvents events, ConnectionGate gate, bool restore) = state;
            if (result.IsOk)
            {
                gate.Loop.Post(() => events.Act(gate, result.Value, restore));
            }
        });
    }

    private void Act(ConnectionGate gate, IReadOnlyList<HeldFinding> findings, bool restored)
    {
        foreach (HeldFinding finding in findings.Where(finding => finding.Standing == HeldStanding.Stale))
        {
            gate.LetGo(finding.Held.ClientId, finding.Held.Token);
        }

        if (!restored)
        {
            Check(gate, [.. findings.Where(finding => finding.Standing == HeldStanding.Missing).Select(finding => finding.Held)], restore: true);
        }
    }

    [LoggerMessage(1100, LogLevel.Information, "The directory is {State}. {Detail}")]
    private static partial void LogState(ILogger logger, DirectoryState state, string detail);

    [LoggerMessage(1101, LogLevel.Information, "Node {Name} ({Id}) {Event}.")]
    private static partial void LogNode(ILogger logger, string name, NodeId id, string @event);

    [LoggerMessage(1102, LogLevel.Information, "Slot table {Version} with {Groups} groups is in force.")]
    private static partial void LogSlots(ILogger logger, ulong version, int groups);
}
