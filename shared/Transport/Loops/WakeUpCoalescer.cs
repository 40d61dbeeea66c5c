namespace Trunkline.Transports;

/// <summary>
/// Decides how long a loop waits before it looks for events, so that they come several at a time: a wake-up costs more
/// than a small message. The rate of events decides, for unlike that of wake-ups it stays when the waiting works. Loop
/// thread only.
/// </summary>
/// <remarks>
/// A loop whose turn took the interval, or most of it, does not wait: under load the events gather by themselves.
/// </remarks>
internal sealed class WakeUpCoalescer
{
    // Shorter than what a sleep and its wake-up take.
    private const int LeastWaitUs = 30;

    // Long enough for 150 events at the default rate, short enough that the end of a burst is noticed.
    private const int WindowMs = 5;

    private readonly long _interval;
    private readonly long _window;
    private readonly long _leastWait;
    private readonly long _frequency;
    private readonly int _eventsPerSecond;
    private long _windowStart;
    private int _events;
    private long _lastLook;

    public WakeUpCoalescer(CoalescingOptions options, long frequency, long now)
    {
        _interval = options.IntervalUs * frequency / 1_000_000;
        _leastWait = LeastWaitUs * frequency / 1_000_000;
        _window = Math.Max(1, WindowMs * frequency / 1_000);
        _frequency = frequency;
        _eventsPerSecond = options.EventsPerSecond;
        _windowStart = now;
    }

    /// <summary>Whether it is switched on and the last window had many events.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>A look for events found this many.</summary>
    public void Looked(long now, int events)
    {
        _lastLook = now;
        long elapsed = now - _windowStart;
        if (elapsed >= _window)
        {
            // What the look itself found came meanwhile, so it belongs to the window that ends.
            long rate = (_events + events) * _frequency / elapsed;
            IsWaiting = _interval > 0 && rate >= (IsWaiting ? _eventsPerSecond / 2 : _eventsPerSecond);
            _windowStart = now;
            _events = 0;
        }
        else
        {
            _events += events;
        }
    }

    /// <summary>More events of the same look.</summary>
    public void Found(int events) => _events += Math.Max(0, events);

    /// <summary>Microseconds to wait before the next look; 0 for none.</summary>
    public int WaitUs(long now)
    {
        long left = _interval - (now - _lastLook);
        return IsWaiting && left >= _leastWait ? (int)(left * 1_000_000 / _frequency) : 0;
    }
}
