namespace Trunkline.Directory;

/// <summary>The directory in memory, one view per node; on disk too, when its memory was opened on a folder.</summary>
public sealed class MemoryDirectory : NodeDirectory
{
    /// <summary>The view of one node on <paramref name="memory"/>, which outlives it.</summary>
    public MemoryDirectory(DirectoryMemory memory, NodeInfo self, DirectoryOptions options, DirectoryEnvironment environment)
        : base(self, options, environment, _ => new MemoryStore(memory, owns: false))
    {
    }

    private MemoryDirectory(NodeInfo self, DirectoryOptions options, DirectoryEnvironment environment, DirectoryMemory memory)
        : base(self, options, environment, _ => new MemoryStore(memory, owns: true))
    {
    }

    /// <summary>
    /// The directory of a process that is alone: in <see cref="DirectoryOptions.DataDirectory"/> when that is set, else
    /// forgotten with this directory.
    /// </summary>
    /// <exception cref="DirectoryDataException">The folder cannot be used; the message says what to do.</exception>
    public static MemoryDirectory Open(NodeInfo self, DirectoryOptions options, DirectoryEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(environment);
        DirectoryMemory memory = options.DataDirectory.Length > 0
            ? DirectoryMemory.Open(options.DataDirectory, environment.Time, environment.Logger, options.Commit ?? DirectoryCommit.Os, options.SyncIntervalMs)
            : new DirectoryMemory(environment.Time) { IsAlone = true };
        return new(self, options, environment, memory);
    }
}
