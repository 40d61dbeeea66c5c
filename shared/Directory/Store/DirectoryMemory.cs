using Microsoft.Extensions.Logging;

namespace Trunkline.Directory;

/// <summary>What memory directories share: the counterpart of a Redis. One a process; tests have several nodes on one.</summary>
public sealed class DirectoryMemory : IDisposable
{
    private RecordJournal? _journal;

    /// <summary>Empty, and forgotten with the process.</summary>
    public DirectoryMemory(TimeProvider time) => Time = time;

    /// <summary>
    /// Whether this process alone uses it: nobody else holds sessions that would have to be written back, so a new
    /// generation has no grace.
    /// </summary>
    public bool IsAlone { get; init; }

    /// <summary>Guards everything below.</summary>
    internal Lock Gate { get; } = new();

    internal TimeProvider Time { get; }

    internal MemoryContents Contents { get; private set; } = new();

    /// <summary>Nodes that receive messages.</summary>
    internal Dictionary<NodeId, MemoryStore> Receivers { get; } = [];

    /// <summary>False plays a directory that is away.</summary>
    internal bool Available { get; set; } = true;

    internal RecordJournal? Journal => _journal;

    /// <summary>
    /// What stands in a folder, which this process alone uses from then on: each change is written there before it counts.
    /// What nodes of an earlier process held is detached, by their last checkpoints.
    /// </summary>
    /// <exception cref="DirectoryDataException">The folder cannot be used, or what it holds is damaged; the message says what to do.</exception>
    /// <param name="folder">Where.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where events are logged.</param>
    /// <param name="commit">What an answered change survives.</param>
    /// <param name="syncIntervalMs">See <see cref="DirectoryOptions.SyncIntervalMs"/>.</param>
    public static DirectoryMemory Open(string folder, TimeProvider time, ILogger logger, DirectoryCommit commit, int syncIntervalMs)
    {
        var memory = new DirectoryMemory(time) { IsAlone = true };
        RecordJournal journal = RecordJournal.Open(folder, memory.Contents, time, logger);
        try
        {
            journal.Sync = new RecordSync(memory.Gate, journal, commit, syncIntervalMs, time);
            MemoryStore.DetachAll(memory);
            journal.Begin(memory.Contents);
        }
        catch (DirectoryDataException)
        {
            journal.Dispose();
            throw;
        }

        memory._journal = journal;
        memory.Contents.Record(journal.Effects);
        return memory;
    }

    /// <summary>Closes the folder.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            Available = false;
            Contents.Record(null);
            _journal?.Close(Contents);
            _journal = null;
        }
    }

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
