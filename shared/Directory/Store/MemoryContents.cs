using Trunkline.Topics;

namespace Trunkline.Directory;

/// <summary>The keys, as values; the names are those of <see cref="RedisKeys"/>. What a disk keeps changes by methods that note it.</summary>
internal sealed class MemoryContents
{
    private readonly Dictionary<NodeId, NodeCheckpoint> _checkpoints = [];
    private RecordEffects? _effects;

    internal string Generation { get; set; } = "";

    internal long GenerationAtUs { get; set; }

    internal bool Stamped { get; set; }

    internal string? Shape { get; private set; }

    internal long NodesVersion { get; set; }

    internal Dictionary<NodeId, NodeInfo> Nodes { get; } = [];

    internal Dictionary<NodeId, long> Counters { get; } = [];

    internal HashSet<NodeId> Dead { get; } = [];

    /// <summary>Nodes that may claim nothing any more.</summary>
    internal HashSet<NodeId> Fenced { get; } = [];

    /// <summary>Per node the number up to which its claims are void. Not on a disk: there every node is a new one after a start.</summary>
    internal Dictionary<NodeId, long> VoidClaims { get; } = [];

    internal Dictionary<NodeId, NodeId> Detaching { get; } = [];

    internal MemoryRecords Records { get; } = new();

    internal SlotMap? Slots { get; private set; }

    internal NodeCheckpoint? Checkpoint(NodeId node) => _checkpoints.GetValueOrDefault(node);

    internal IReadOnlyCollection<NodeId> CheckpointNodes => _checkpoints.Keys;

    internal void SetCheckpoint(NodeId node, NodeCheckpoint? checkpoint)
    {
        if (checkpoint is not null)
        {
            _checkpoints[node] = checkpoint;
        }
        else if (!_checkpoints.Remove(node))
        {
            return;
        }

        _effects?.Checkpoint(node, checkpoint);
    }

    internal void SetShape(string shape)
    {
        if (Shape != shape)
        {
            Shape = shape;
            _effects?.Shape(shape);
        }
    }

    internal void SetSlots(SlotMap map)
    {
        Slots = map;
        _effects?.Slots(map);
    }

    /// <summary>From now on every change is noted there; null: nowhere.</summary>
    internal void Record(RecordEffects? effects)
    {
        _effects = effects;
        Records.Effects = effects;
    }

    /// <summary>Notes everything that a disk keeps; calls back between any two things.</summary>
    internal void WriteTo(RecordEffects effects, Action between)
    {
        if (Shape is not null)
        {
            effects.Shape(Shape);
        }

        if (Slots is not null)
        {
            effects.Slots(Slots);
        }

        between();

        foreach ((NodeId node, NodeCheckpoint checkpoint) in _checkpoints)
        {
            effects.Checkpoint(node, checkpoint);
            between();
        }

        Records.WriteTo(effects, between);
    }
}
