using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>How a node ends in order.</summary>
internal sealed partial class ProxyNode
{
    /// <summary>
    /// Stops in the order in which nothing acknowledged is lost: no new devices, the devices are told (their wills wait
    /// for them to be back where their sessions move elsewhere, else they are published), the links finish what they
    /// took, the directory is left. A step that fails is logged and the rest goes on.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (_isStopped)
        {
            return;
        }

        _isStopped = true;
        _waitingFor = "The node is stopping.";
        _isServing = false;
        if (_isRunning)
        {
            await StepAsync("stop accepting", _listeners.StopAcceptingAsync);
            await StepAsync("close the devices", CloseDevicesAsync);
            await StepAsync("finish the links", () => _links.StopAsync());
            await StepAsync("leave the directory", async () => await _directory.LeaveAsync());
        }

        await StepAsync("close the logs", _logs.StopAsync);
        await StepAsync("close the directory", async () => await _directory.DisposeAsync());
        if (_isRunning)
        {
            await StepAsync("stop the groups", _embedded.StopAsync);
        }

        foreach (Loop loop in _loops)
        {
            // What is still connected is closed with it.
            await StepAsync("stop a loop", loop.StopAsync);
            loop.Dispose();
        }

        _memory.Dispose();
        _nativeHeap.Dispose();
        _meter.Dispose();
        _directoryMeter.Dispose();
        _hostingMetrics.Dispose();
    }

    private async Task CloseDevicesAsync()
    {
        bool moves = _options.Directory.Endpoints.Count > 0;
        await Task.WhenAll(_gates.Select(gate => gate.Loop.InvokeAsync(() =>
        {
            gate.IsLeaving = true;
            gate.Keeper.DrainWillWaitSeconds = moves ? (uint)_options.Drain.WillWaitSeconds : null;
            gate.Keeper.IsEnding = !moves;
        })));
        if (moves && !_ended.Task.IsCompleted)
        {
            // Before the first of them is sent away; one call within its deadline.
            await await _loops[0].InvokeAsync(() => _checkpoints.LeavingAsync());
        }

        // A node that was declared dead has no time: the sessions are other nodes' already.
        if (moves && !_ended.Task.IsCompleted && _options.Drain.DevicesPerSecond > 0)
        {
            await _devices.SendAwayAsync(
                _options.Drain.DevicesPerSecond,
                TimeSpan.FromMilliseconds(_options.Drain.MaximumMs),
                count => CountSentEarly(_gates[0].Keeper.Counters, count));
        }

        int left = await _devices.ShutDownAsync(TimeSpan.FromMilliseconds(_options.CloseGraceMs));
        if (left > 0)
        {
            LogDevicesLeft(_logger, left, _options.CloseGraceMs);
        }

        await DetachAllAsync();
        await _loops[0].InvokeAsync(() =>
        {
            _checkpoints.Stop();
            _due.Stop();
        });
    }

    private void CountSentEarly(KeeperCounters counters, int count)
    {
        counters.Add(KeeperCounter.SentAwayEarly, count);
        LogSentEarly(_logger, count, _options.Drain.MaximumMs);
    }

    /// <summary>Waits until the directory has every session, or for as long as devices are waited for.</summary>
    private async Task DetachAllAsync()
    {
        Task[] detached = await Task.WhenAll(_gates.Select(gate => gate.Loop.InvokeAsync(gate.Keeper.WhenAllDetached)));
        try
        {
            await Task.WhenAll(detached).WaitAsync(TimeSpan.FromMilliseconds(_options.CloseGraceMs), _time);
        }
        catch (TimeoutException)
        {
            // The directory is away; the checkpoint serves whoever goes on with these sessions.
            int[] left = await Task.WhenAll(_gates.Select(gate => gate.Loop.InvokeAsync(() => gate.Keeper.Detaching)));
            KeeperLog.NotDetached(_logger, left.Sum());
        }
    }

    private async Task StepAsync(string name, Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (Exception exception)
        {
            // The edge of the process's end: whatever one part does, the others are stopped.
            LogStepFailed(_logger, exception, name);
        }
    }
}
