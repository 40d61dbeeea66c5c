namespace Trunkline.Directory;

/// <summary>The directory in memory, one view per node; nothing of it survives the process.</summary>
public sealed class MemoryDirectory : NodeDirectory
{
    /// <summary>The view of one node on <paramref name="memory"/>.</summary>
    public MemoryDirectory(DirectoryMemory memory, NodeInfo self, DirectoryOptions options, DirectoryEnvironment environment)
        : base(self, options, environment) => ArgumentNullException.ThrowIfNull(memory);
}

/// <summary>What memory directories share: the counterpart of a Redis. One a process; tests have several nodes on one.</summary>
public sealed class DirectoryMemory(TimeProvider time)
{
    internal TimeProvider Time { get; } = time;
}
