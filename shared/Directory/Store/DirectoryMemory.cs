using Trunkline.Topics;

namespace Trunkline.Directory;

/// <summary>What memory directories share: the counterpart of a Redis. One a process; tests have several nodes on one.</summary>
public sealed class DirectoryMemory(TimeProvider time)
{
    /// <summary>Guards everything below.</summary>
    internal Lock Gate { get; } = new();

    internal TimeProvider Time { get; } = time;

    internal MemoryContents Contents { get; private set; } = new();

    /// <summary>Nodes that receive messages.</summary>
    internal Dictionary<NodeId, MemoryStore> Receivers { get; } = [];

    /// <summary>False plays a directory that is away.</summary>
    internal bool Available { get; set; } = true;

    internal long NowUs() => (Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Plays a Redis that came back empty.</summary>
    internal void Empty()
    {
        lock (Gate)
        {
            Contents = new();
        }
    }
}

/// <summary>The keys, as values; the names are those of <see cref="RedisKeys"/>.</summary>
internal sealed class MemoryContents
{
    internal string Generation { get; set; } = "";

    internal long GenerationAtUs { get; set; }

    internal bool Stamped { get; set; }

    internal string? Shape { get; set; }

    internal long NodesVersion { get; set; }

    internal Dictionary<NodeId, NodeInfo> Nodes { get; } = [];

    internal Dictionary<NodeId, long> Counters { get; } = [];

    internal HashSet<NodeId> Dead { get; } = [];

    /// <summary>Nodes that may claim nothing any more.</summary>
    internal HashSet<NodeId> Fenced { get; } = [];

    internal Dictionary<NodeId, NodeId> Detaching { get; } = [];

    internal Dictionary<NodeId, NodeCheckpoint> Checkpoints { get; } = [];

    internal MemoryRecords Records { get; } = new();

    internal SlotMap? Slots { get; set; }
}
