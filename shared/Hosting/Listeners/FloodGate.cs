using Microsoft.Extensions.Logging;
using Trunkline.Hosting.Devices;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// Holds back the listeners' log lines about one address that come faster than one in ten seconds, counts them, and says
/// how many they were when the time is over, whether or not a further one comes. Any thread; rare paths.
/// </summary>
/// <param name="loop">Whose clock counts, and which writes what was held back.</param>
/// <param name="log">Where to.</param>
internal sealed class FloodGate(Loop loop, ILogger log) : LoopTimer
{
    private readonly LineBudgets _budgets = new(linesPerWindow: 1);
    private int _isWatching;

    /// <summary>Whether a line about this address may be written now; counted where not.</summary>
    public bool MayLog(NetworkAddress address)
    {
        if (_budgets.Take(address, loop.NowMs))
        {
            return true;
        }

        if (Interlocked.Exchange(ref _isWatching, 1) == 0)
        {
            loop.Post(() => loop.Timers.Schedule(this, LineBudgets.WindowMs));
        }

        return false;
    }

    /// <inheritdoc/>
    protected override void OnDue()
    {
        // Before the windows are looked at: what is held back from now on schedules anew.
        Volatile.Write(ref _isWatching, 0);
        bool isAnyLeft = _budgets.EndWindows(loop.NowMs, out IReadOnlyList<(string Host, long HeldBack)> heldBack, out long others);
        foreach ((string host, long count) in heldBack)
        {
            log.HeldBack(count, host);
        }

        if (others > 0)
        {
            log.HeldBackOthers(others, LineBudgets.MaximumAddresses);
        }

        if (isAnyLeft && Interlocked.Exchange(ref _isWatching, 1) == 0)
        {
            loop.Timers.Schedule(this, LineBudgets.WindowMs / 10);
        }
    }
}
