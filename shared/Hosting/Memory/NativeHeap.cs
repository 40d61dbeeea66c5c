using System.Diagnostics.Metrics;
using System.Runtime;
using System.Runtime.InteropServices;

namespace Trunkline.Hosting.Memory;

/// <summary>
/// Gives back to the system what the C library keeps of memory that was freed: what the just-in-time compiler needed for
/// methods that ran for the first time, lists of the collector, TLS states of devices that have gone. It keeps such pages for
/// ever by itself unless they lie at the end of a heap.
/// </summary>
/// <remarks>A look costs nothing once no method has been compiled for ten of them, as in steady state, but for one a minute.</remarks>
public sealed partial class NativeHeap : IDisposable
{
    /// <summary>What was needed for a method may be let go of after it counts as compiled: stubs that counted its calls, for one.</summary>
    private const int LooksAfterCompiling = 10;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly int _intervalMs;
    private readonly TimeProvider _time;
    private readonly Func<long> _compiled;
    private readonly Func<bool> _trim;
    private readonly Lock _looking = new();
    private ITimer? _timer;
    private long _compiledThen;
    private int _looksLeft;
    private long _trimmedAt;
    private long _trims;
    private long _trimTicks;
    private bool _isWithout;

    /// <summary>Nothing is given back before <see cref="Start"/>.</summary>
    public NativeHeap(MemoryOptions options, TimeProvider time)
        : this(options, time, static () => JitInfo.GetCompiledMethodCount(), Trim)
    {
    }

    internal NativeHeap(MemoryOptions options, TimeProvider time, Func<long> compiled, Func<bool> trim)
    {
        _intervalMs = options.TrimIntervalMs;
        _time = time;
        _compiled = compiled;
        _trim = trim;
        _trimmedAt = time.GetTimestamp();
    }

    /// <summary>Adds the instruments to <paramref name="meter"/>.</summary>
    public void Register(Meter meter)
    {
        ArgumentNullException.ThrowIfNull(meter);
        meter.CreateObservableCounter("trunkline.memory.trims", () => Volatile.Read(ref _trims), null, "Times the C library was asked to give freed memory back.");
        meter.CreateObservableCounter("trunkline.memory.trim.time", () => Volatile.Read(ref _trimTicks) / (double)_time.TimestampFrequency, "s", "Time that took, on a thread of its own.");
    }

    /// <summary>Begins to look each <see cref="MemoryOptions.TrimIntervalMs"/>; with 0, or where the system is not Linux, never.</summary>
    public void Start()
    {
        if (_intervalMs > 0 && OperatingSystem.IsLinux())
        {
            var interval = TimeSpan.FromMilliseconds(_intervalMs);
            _timer = _time.CreateTimer(static heap => ((NativeHeap)heap!).Look(), this, interval, interval);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    /// <summary>One look.</summary>
    internal void Look()
    {
        // A look that takes longer than the interval is not joined by the next.
        if (_isWithout || !_looking.TryEnter())
        {
            return;
        }

        try
        {
            long compiled = _compiled();
            _looksLeft = compiled != _compiledThen ? LooksAfterCompiling : int.Max(_looksLeft - 1, -1);
            _compiledThen = compiled;
            if (_looksLeft < 0 && _time.GetElapsedTime(_trimmedAt) < LongestPause)
            {
                return;
            }

            long began = _time.GetTimestamp();
            _isWithout = !_trim();
            _trimmedAt = _time.GetTimestamp();
            Volatile.Write(ref _trimTicks, _trimTicks + _trimmedAt - began);
            Volatile.Write(ref _trims, _trims + (_isWithout ? 0 : 1));
        }
        finally
        {
            _looking.Exit();
        }
    }

    /// <summary>Whether this C library can: glibc's does, musl's has no such call and keeps less.</summary>
    internal static bool Trim()
    {
        try
        {
            _ = MallocTrim(0);
            return true;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint pad);
}
