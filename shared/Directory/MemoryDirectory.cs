namespace Trunkline.Directory;

/// <summary>The directory in memory, one view per node; nothing of it survives the process.</summary>
public sealed class MemoryDirectory : NodeDirectory
{
    /// <summary>The view of one node on <paramref name="memory"/>.</summary>
    public MemoryDirectory(DirectoryMemory memory, NodeInfo self, DirectoryOptions options, DirectoryEnvironment environment)
        : base(self, options, environment, _ => new MemoryStore(memory))
    {
    }
}
