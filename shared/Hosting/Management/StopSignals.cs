using System.Runtime.InteropServices;

namespace Trunkline.Hosting.Management;

/// <summary>
/// SIGTERM and SIGINT as something to await; the process then ends in its own time, which is bounded. A further SIGTERM
/// changes nothing, for supervisors send it more than once; a further SIGINT, from a person at a terminal, ends it at once.
/// </summary>
public sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration _term;
    private readonly PosixSignalRegistration _interrupt;
    private int _count;

    /// <summary>Listens from now on.</summary>
    public StopSignals()
    {
        _term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>Completes at the first signal.</summary>
    public Task Stopped => _stopped.Task;

    /// <inheritdoc/>
    public void Dispose()
    {
        // From here on a signal that is just being handled must not touch what is disposed.
        Interlocked.Increment(ref _count);
        _term.Dispose();
        _interrupt.Dispose();
        _stop.Dispose();
    }

    /// <summary>Whether the signal was taken; if not, the system's own handling ends the process.</summary>
    internal bool Take(PosixSignal signal)
    {
        if (Interlocked.Increment(ref _count) > 1)
        {
            return signal != PosixSignal.SIGINT;
        }

        _stopped.TrySetResult();
        _stop.Cancel();
        return true;
    }

    private void OnSignal(PosixSignalContext context) => context.Cancel = Take(context.Signal);
}
