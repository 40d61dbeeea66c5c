using Trunkline.Hosting;

namespace Trunkline.Loadtest;

/// <summary>
/// Releases steps of an open-loop schedule: step k is due at start + k x interval whatever happened to the steps before.
/// It wakes for the next due step, not more often than once a tick, and releases what is due by then. Loop thread only.
/// </summary>
internal sealed class Pacer(LoadLoop loop, LoadClock clock, TimeSpan tick) : PreciseTimer(loop.Loop)
{
    // The loop looks at its sockets at least between so many steps.
    private const int StepsPerTurn = 1024;

    private readonly long _tickNs = (long)tick.TotalNanoseconds;
    private Action<long, long>? _release;
    private double _startNs;
    private double _intervalNs;
    private long _next;
    private long _count;

    /// <summary>Whether all steps were released, or it was stopped.</summary>
    public bool IsDone => _next >= _count;

    /// <summary>Begins: the callback gets the step's number and due time.</summary>
    public void Start(double startNs, double intervalNs, long count, Action<long, long> release)
    {
        _startNs = startNs;
        _intervalNs = intervalNs;
        _next = 0;
        _count = count;
        _release = release;
        Arm((long)startNs - clock.NowNs);
    }

    /// <summary>Releases no more.</summary>
    public void Stop()
    {
        _count = _next;
        Close();
    }

    /// <inheritdoc/>
    protected override void OnDue()
    {
        long nowNs = clock.NowNs;
        for (int steps = 0; _next < _count; steps++)
        {
            long dueNs = (long)(_startNs + (_next * _intervalNs));
            if (dueNs > nowNs)
            {
                Arm(Math.Max(dueNs - nowNs, _tickNs));
                return;
            }

            if (steps == StepsPerTurn)
            {
                Arm(1);
                return;
            }

            _release!(_next++, dueNs);
        }

        Close();
    }
}
