using System.Globalization;

namespace Trunkline.Directory;

/// <content>The lease loop: one round trip raises the own counter and reads what every node watches.</content>
public abstract partial class NodeDirectory
{
    // Owned by the lease loop (by Join before it starts).
    private readonly NodeWatch _watch;
    private readonly Dictionary<NodeId, NodeInfo> _known = [];
    private readonly Dictionary<NodeId, Task> _detaching = [];
    private readonly Dictionary<NodeId, long> _undetachedSince = [];
    private readonly HashSet<NodeId> _leftToNewer = [];
    private ulong _slotsUnreadable;
    private string _registeredGeneration = "";
    private HeldDoubt? _doubt;
    private long _openedConnection = -1;
    private long _nodesVersion = -1;
    private long _recoveringSince;
    private TimeSpan _recoveringFor;
    private int _generationsMade;

    private readonly Lock _wakeGate = new();
    private TaskCompletionSource _wake;
    private TaskCompletionSource? _reopened;
    private string _lost = "";

    private bool IsInGrace => Time.GetElapsedTime(_recoveringSince) < _recoveringFor;

    private void Wake()
    {
        lock (_wakeGate)
        {
            _wake.TrySetResult();
        }
    }

    /// <summary>A bucket did not know the generation: lets the lease loop look, and ends when it did.</summary>
    private async Task ReopenAsync(string seen, CancellationToken cancellation)
    {
        Task reopened;
        lock (_wakeGate)
        {
            if (_generation != seen)
            {
                return;
            }

            _lost = seen;
            _reopened ??= new(_environment.Completions);
            reopened = _reopened.Task;
            _wake.TrySetResult();
        }

        await reopened.WaitAsync(TimeSpan.FromMilliseconds(_options.OperationDeadlineMs * 2L), Time, cancellation)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task StopLoopAsync()
    {
        await _stop.CancelAsync();
        Wake();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_detaching.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task LoopAsync()
    {
        TimeSpan interval = TimeSpan.FromMilliseconds(_options.LeaseRaiseIntervalMs);
        while (!_stop.IsCancellationRequested && _deadReason is null)
        {
            TimeSpan rest = _recoveringFor - Time.GetElapsedTime(_recoveringSince);
            TimeSpan pause = rest > TimeSpan.Zero && rest < interval ? rest + TimeSpan.FromMilliseconds(1) : interval;
            await _wake.Task.WaitAsync(pause, Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            TaskCompletionSource? reopened;
            string lost;
            lock (_wakeGate)
            {
                _wake = new(_environment.Completions);
                (reopened, _reopened) = (_reopened, null);
                (lost, _lost) = (_lost, "");
            }

            if (!_stop.IsCancellationRequested && (lost.Length == 0 || await OpenGenerationAsync(lost, _stop.Token)))
            {
                await TurnAsync(_stop.Token);
            }

            reopened?.TrySetResult();
        }

        if (_deadReason is { } reason && !_stop.IsCancellationRequested)
        {
            _meters.Died("self");
            DirectoryLog.DeclaredDead(_environment.Logger, reason);
            SetState(DirectoryState.Unavailable, "declared dead: " + reason);
            Raise(e => e.DeclaredDead(reason), _events!);
        }
    }

    /// <summary>One raise and reading; false when the directory did not answer.</summary>
    private async Task<bool> TurnAsync(CancellationToken cancellation)
    {
        if (_store.Connection != _openedConnection && !await OpenGenerationAsync("", cancellation))
        {
            return Away(_store.Fault);
        }

        // A changed generation or a forgotten registration is mended and the reading taken again, a few times at most.
        for (int attempt = 0; attempt < 3; attempt++)
        {
            long connection = _store.Connection;
            long sent = Time.GetTimestamp();
            DirectoryResult<BeatReading> beat = await _store.BeatAsync(Self.Id, cancellation);
            long received = Time.GetTimestamp();
            if (!beat.IsOk || connection != _store.Connection)
            {
                return Away(beat.Detail);
            }

            if (beat.Value.Generation.Generation != _generation)
            {
                if (!await OpenGenerationAsync("", cancellation))
                {
                    return Away(_store.Fault);
                }
            }
            else if (beat.Value.Standing == Finding.Ok)
            {
                await TakeReadingAsync(beat.Value, connection, sent, received, cancellation);
                return true;
            }
            else if (!await MendRegistrationAsync(beat.Value.Standing, cancellation))
            {
                return false;
            }
        }

        return Away("the directory's generation keeps changing");
    }

    private bool Away(string fault)
    {
        _watch.Break();
        if (!_stop.IsCancellationRequested)
        {
            SetState(DirectoryState.Unavailable, fault.Length == 0 ? "no connection" : fault);
        }

        return false;
    }

    // In the generation in which this node registered, only a verdict of another can have taken it out.
    private async Task<bool> MendRegistrationAsync(Finding standing, CancellationToken cancellation)
    {
        if (standing == Finding.Dead || _registeredGeneration == _generation)
        {
            _deadReason ??= "its lease counter stood still for another node";
            return false;
        }

        DirectoryResult registered = await RegisterAsync(cancellation);
        if (registered.Status == DirectoryStatus.Refused)
        {
            DirectoryLog.RegistrationRefused(_environment.Logger, registered.Detail);
        }

        return registered.IsOk || Away(registered.Detail);
    }

    private async Task<bool> OpenGenerationAsync(string lost, CancellationToken cancellation)
    {
        long connection = _store.Connection;
        string candidate = string.Create(CultureInfo.InvariantCulture, $"{Self.Id}.{++_generationsMade}");
        DirectoryResult<GenerationReading> opened = await _store.OpenGenerationAsync(candidate, lost, cancellation);
        if (!opened.IsOk || (!opened.Value.Stamped && !(await _store.StampBucketsAsync(opened.Value.Generation, cancellation)).IsOk))
        {
            return false;
        }

        if (_openedConnection >= 0 && _openedConnection != connection)
        {
            _doubt ??= HeldDoubt.Reconnected;

            // Another server may stand there now; a node that serves goes on, and says what is wrong.
            DirectoryResult kept = await _store.CheckAsync(cancellation);
            if (kept.Detail.Length > 0)
            {
                DirectoryLog.Durability(_environment.Logger, kept.Detail);
            }
        }

        _openedConnection = connection;
        if (opened.Value.Generation != _generation)
        {
            if (_generation.Length > 0)
            {
                DirectoryLog.GenerationChanged(_environment.Logger, _generation, opened.Value.Generation);
                _doubt = HeldDoubt.NewGeneration;
            }

            // Every node counts the grace from the directory's own clock; one that is off cannot make it longer than the option.
            _recoveringSince = Time.GetTimestamp();
            _recoveringFor = TimeSpan.FromMilliseconds(_options.RecoveringGraceMs - Math.Clamp(opened.Value.AgeMs, 0, _options.RecoveringGraceMs));
            _nodesVersion = -1;
            lock (_wakeGate)
            {
                _generation = opened.Value.Generation;
            }
        }

        return true;
    }

    private void SetState(DirectoryState state, string detail)
    {
        DirectoryHealth old = _health;
        if (old.State == state && old.Generation == _generation && old.Connection == _store.Connection)
        {
            return;
        }

        _health = new(state, old.State == state ? old.Since : Time.GetUtcNow(), detail, _generation, _store.Connection);
        DirectoryLog.StateChanged(_environment.Logger, state, detail.Length > 0 ? detail : "-");
        Raise(e => e.StateChanged(_health), _events!);
    }
}
