using Trunkline.Topics;

namespace Trunkline.Directory;

/// <summary>
/// What both directories share: joining, the lease and the watch over the other nodes, the generation, take-over
/// between nodes. Public methods are thread-safe. One lease loop owns what is marked so.
/// </summary>
public abstract partial class NodeDirectory : IDirectory, IStoreEvents
{
    private readonly DirectoryOptions _options;
    private readonly DirectoryEnvironment _environment;
    private readonly DirectoryMeters _meters;
    private readonly IDirectoryStore _store;
    private readonly TakeOvers _takeOvers;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _joining = new(1);
    private IDirectoryEvents? _events;
    private string _shape = "";
    private bool _started;
    private volatile bool _joined;
    private volatile bool _left;
    private volatile string? _deadReason;
    private volatile string _generation = "";
    private volatile DirectoryHealth _health;
    private volatile IReadOnlyList<NodeInfo> _nodes = [];
    private volatile SlotMap? _slotMap;
    private long _floor;
    private int _disposed;
    private Task _loop = Task.CompletedTask;

    internal NodeDirectory(NodeInfo self, DirectoryOptions options, DirectoryEnvironment environment, Func<DirectoryMeters, IDirectoryStore> makeStore)
    {
        ArgumentNullException.ThrowIfNull(self);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(environment);
        Self = self;
        _options = options;
        _environment = environment;
        _meters = new DirectoryMeters(environment.Meter, () => (int)Health.State, () => Nodes.Count);
        _store = makeStore(_meters);
        _wake = new(environment.Completions);
        _takeOvers = new TakeOvers(self.Id, options, environment, _store, _meters);
        _watch = new NodeWatch(environment.Time, TimeSpan.FromMilliseconds(options.LeaseMs));
        _health = new(DirectoryState.Unavailable, environment.Time.GetUtcNow(), "not joined", "", 0);
    }

    /// <inheritdoc/>
    public NodeInfo Self { get; }

    /// <inheritdoc/>
    public DirectoryHealth Health => _health;

    /// <inheritdoc/>
    public IReadOnlyList<NodeInfo> Nodes => _nodes;

    /// <inheritdoc/>
    public SlotMap? SlotMap => _slotMap;

    /// <summary>The store, for tests.</summary>
    internal IDirectoryStore Store => _store;

    private TimeProvider Time => _environment.Time;

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult> JoinAsync(TierShape shape, IDirectoryEvents events, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(events);
        await _joining.WaitAsync(CancellationToken.None);
        try
        {
            return _joined || _left || _deadReason is not null
                ? Refusal() ?? new(DirectoryStatus.Ok)
                : await FirstJoinAsync(shape, events, cancellation);
        }
        finally
        {
            _joining.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult> LeaveAsync(CancellationToken cancellation = default)
    {
        if (!_joined || _left)
        {
            return new(DirectoryStatus.Ok);
        }

        _left = true;
        await StopLoopAsync();
        DirectoryResult<int> detached = await DetachNodeAsync(Self.Id, cancellation);
        if (!detached.IsOk)
        {
            // The others will see the counter stand still and do it.
            return detached.WithoutValue();
        }

        DirectoryResult left = await _store.UnregisterAsync(Self.Id, cancellation);
        await _store.SendAsync(NodeId.None, NodeMessage.NodesChanged, cancellation);
        return left;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        _left = true;
        await StopLoopAsync();
        await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    void IStoreEvents.ConnectionChanged() => Wake();

    /// <inheritdoc/>
    void IStoreEvents.Received(string message)
    {
        if (message is NodeMessage.NodesChanged or NodeMessage.SlotsChanged)
        {
            Wake();
        }
        else if (NodeMessage.TryReadAnswer(message, out long number))
        {
            _takeOvers.Answered(number);
        }
        else if (NodeMessage.TryReadTakeOver(message, out var read))
        {
            if (_events is { } events && _takeOvers.Asked(read.From, read.Number, read.ClientId, read.Old, read.New) is { } request)
            {
                Raise(e => e.TakeOverRequested(request), events);
            }
        }
        else
        {
            _meters.Ended("message", "damaged");
            DirectoryLog.MessageUnreadable(_environment.Logger);
        }
    }

    private async ValueTask<DirectoryResult> FirstJoinAsync(TierShape shape, IDirectoryEvents events, CancellationToken cancellation)
    {
        _events = events;
        _shape = TierShapeText.Write(shape);
        if (!_started)
        {
            _started = true;
            _store.Start(Self.Id, this);
        }

        await _store.WaitConnectedAsync(cancellation);
        DirectoryResult kept = await _store.CheckAsync(cancellation);
        if (!kept.IsOk)
        {
            return kept;
        }

        if (kept.Detail.Length > 0)
        {
            DirectoryLog.Durability(_environment.Logger, kept.Detail);
        }

        if (!await OpenGenerationAsync("", cancellation))
        {
            return new(cancellation.IsCancellationRequested ? DirectoryStatus.Canceled : DirectoryStatus.Unavailable, _store.Fault);
        }

        DirectoryResult registered = await RegisterAsync(cancellation);
        if (registered.IsOk)
        {
            _joined = true;
            DirectoryResult read = await TurnAsync(_stop.Token) ? new(DirectoryStatus.Ok) : new(DirectoryStatus.Ok, "joined; the first reading failed");
            _loop = _environment.IsStepped ? LoopAsync() : Task.Run(LoopAsync, CancellationToken.None);
            return read;
        }

        return registered;
    }

    private async ValueTask<DirectoryResult> RegisterAsync(CancellationToken cancellation)
    {
        string generation = _generation;
        DirectoryResult<Answer<string>> registered = await _store.RegisterAsync(Self, _shape, cancellation);
        if (!registered.IsOk)
        {
            return registered.WithoutValue();
        }

        switch (registered.Value.Finding)
        {
            case Finding.Ok:
                _registeredGeneration = generation;
                await _store.SendAsync(NodeId.None, NodeMessage.NodesChanged, cancellation);
                return new(DirectoryStatus.Ok);
            case Finding.Refused:
                return new(DirectoryStatus.Refused, TierShapeText.Refusal(_shape, registered.Value.Value));
            case Finding.Dead:
                _deadReason ??= "registered as dead";
                return new(DirectoryStatus.DeclaredDead, _deadReason);
            default:
                return new(DirectoryStatus.Unavailable, "the directory's generation changed meanwhile");
        }
    }

    /// <summary>Why a call cannot be tried at all, or null.</summary>
    private DirectoryResult? Refusal() =>
        _deadReason is { } reason ? new(DirectoryStatus.DeclaredDead, reason)
        : _left ? new(DirectoryStatus.Unavailable, "this node left the directory")
        : !_joined ? new(DirectoryStatus.Unavailable, "this node has not joined the directory")
        : null;

    private void Raise(Action<IDirectoryEvents> call, IDirectoryEvents events)
    {
        try
        {
            call(events);
        }
        catch (Exception exception)
        {
            // The lease must go on whatever a handler does.
            DirectoryLog.HandlerThrew(_environment.Logger, exception);
        }
    }
}
