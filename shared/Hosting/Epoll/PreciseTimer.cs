using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Trunkline.Hosting;

/// <summary>
/// A timer of an epoll loop with the kernel's precision (tens of microseconds) where the wheel's 64 ms are too coarse: for
/// load that is paced. It owns a timerfd; each arming costs a system call and each expiry a wake-up, so it is for a few
/// timers a loop, never for one a connection. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
public abstract unsafe class PreciseTimer : IEpollTarget
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly EpollLoop _loop;
    private int _descriptor = -1;

    /// <summary>Makes a timer that is not armed and holds nothing yet.</summary>
    protected PreciseTimer(EpollLoop loop) => _loop = loop;

    /// <summary>Due in this many nanoseconds, at least one; a timer that is armed already is moved.</summary>
    public void Arm(long delayNs)
    {
        if (_descriptor < 0)
        {
            Open();
        }

        long delay = Math.Max(1, delayNs);
        Set((nint)(delay / NanosecondsPerSecond), (nint)(delay % NanosecondsPerSecond));
    }

    /// <summary>Gives the descriptor back; arming again opens a new one.</summary>
    public void Close()
    {
        if (_descriptor >= 0)
        {
            _loop.Forget(_descriptor);
            _ = Libc.Close(_descriptor);
            _descriptor = -1;
        }
    }

    /// <inheritdoc/>
    void IEpollTarget.OnEvents(uint events)
    {
        // Edge-triggered and armed for one expiry: the counter need not be read back.
        if (_descriptor >= 0)
        {
            OnDue();
        }
    }

    /// <inheritdoc/>
    void IEpollTarget.OnLoopStopping() => Close();

    /// <summary>Called once per arming, when due or later; may arm again. A call for a moved timer may come early.</summary>
    protected abstract void OnDue();

    private void Open()
    {
        _descriptor = Libc.TimerCreate(Libc.ClockMonotonic, Libc.CloseOnExec | Libc.NonBlocking);
        if (_descriptor < 0)
        {
            throw new IOException($"No timer is to be had: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        int error = _loop.Watch(_descriptor, this, Libc.EpollIn | Libc.EpollEdge);
        if (error != 0)
        {
            throw new IOException($"A timer cannot be watched: {Libc.Describe(error)}");
        }
    }

    private void Set(nint seconds, nint nanoseconds)
    {
        Libc.TimerSpecification value = default;
        value.Seconds = seconds;
        value.Nanoseconds = nanoseconds;
        _ = Libc.TimerSet(_descriptor, 0, &value, null);
    }
}
