namespace Trunkline.Directory;

/// <summary>The steps in memory, each under one lock: the same rules as the scripts.</summary>
internal sealed partial class MemoryStore(DirectoryMemory memory, bool owns) : IDirectoryStore
{
    private NodeId _self;
    private IStoreEvents? _events;
    private bool _wasAvailable = true;
    private long _connection = 1;

    /// <summary>What it works on, for tests.</summary>
    internal DirectoryMemory Memory => memory;

    /// <inheritdoc/>
    public long Connection
    {
        get
        {
            lock (memory.Gate)
            {
                if (memory.Available != _wasAvailable)
                {
                    _wasAvailable = memory.Available;
                    _connection++;
                }

                return _connection;
            }
        }
    }

    /// <inheritdoc/>
    public string Fault => "";

    /// <inheritdoc/>
    public void Start(NodeId self, IStoreEvents events)
    {
        lock (memory.Gate)
        {
            _self = self;
            _events = events;
            memory.Receivers[self] = this;
        }
    }

    /// <inheritdoc/>
    public Task WaitConnectedAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask<DirectoryResult> CheckAsync(CancellationToken cancellation) => new(new DirectoryResult(DirectoryStatus.Ok));

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        lock (memory.Gate)
        {
            if (memory.Receivers.GetValueOrDefault(_self) == this)
            {
                memory.Receivers.Remove(_self);
            }
        }

        if (owns)
        {
            memory.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Reach>> SendAsync(NodeId to, string message, CancellationToken cancellation)
    {
        List<IStoreEvents> receivers = [];
        lock (memory.Gate)
        {
            if (!memory.Available)
            {
                return new(DirectoryResult<Reach>.Failed(DirectoryStatus.Unavailable, "memory directory is away"));
            }

            foreach ((NodeId node, MemoryStore store) in memory.Receivers)
            {
                if (to.IsNone || to == node)
                {
                    receivers.Add(store._events!);
                }
            }
        }

        foreach (IStoreEvents receiver in receivers)
        {
            receiver.Received(message);
        }

        return new(DirectoryResult<Reach>.Of(Reach.Unknown));
    }

    // A step that may change what a disk keeps: it counts when it is written there.
    private ValueTask<DirectoryResult<T>> Step<T>(Func<MemoryContents, T> step, CancellationToken cancellation) =>
        Step(step, static (step, contents) => step(contents), cancellation);

    // With what it needs as a state, so that nothing is made for a step that every CONNECT takes.
    private ValueTask<DirectoryResult<T>> Step<TState, T>(TState state, Func<TState, MemoryContents, T> step, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return new(DirectoryResult<T>.Failed(DirectoryStatus.Canceled, "cancelled"));
        }

        lock (memory.Gate)
        {
            if (!memory.Available)
            {
                return new(DirectoryResult<T>.Failed(DirectoryStatus.Unavailable, "memory directory is away"));
            }

            MemoryContents contents = memory.Contents;
            if (memory.Journal?.WriteWaiting(contents) is { } waiting)
            {
                return new(DirectoryResult<T>.Failed(DirectoryStatus.Unavailable, waiting));
            }

            T done = step(state, contents);
            RecordJournal? journal = memory.Journal;
            return journal?.Commit(contents) is { } fault ? new(DirectoryResult<T>.Failed(DirectoryStatus.Unavailable, fault))
                : journal?.Sync?.WhenSynced() is { } synced ? AfterSync(synced, done)
                : new(DirectoryResult<T>.Of(done));
        }
    }

    private static async ValueTask<DirectoryResult<T>> AfterSync<T>(Task<string?> synced, T done) =>
        await synced is { } fault ? DirectoryResult<T>.Failed(DirectoryStatus.Unavailable, fault) : DirectoryResult<T>.Of(done);

    // A step that changes nothing that a disk keeps: also while the disk is full.
    private ValueTask<DirectoryResult<T>> Look<T>(Func<MemoryContents, T> step, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return new(DirectoryResult<T>.Failed(DirectoryStatus.Canceled, "cancelled"));
        }

        lock (memory.Gate)
        {
            return new(memory.Available
                ? DirectoryResult<T>.Of(step(memory.Contents))
                : DirectoryResult<T>.Failed(DirectoryStatus.Unavailable, "memory directory is away"));
        }
    }

    private async ValueTask<DirectoryResult> StepOnly(Action<MemoryContents> step, CancellationToken cancellation) =>
        (await Step(
            contents =>
            {
                step(contents);
                return true;
            },
            cancellation)).WithoutValue();
}
