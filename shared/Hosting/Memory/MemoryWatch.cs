using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Trunkline.Transports;

namespace Trunkline.Hosting.Memory;

/// <summary>
/// Looks at the process's memory again and again and says on a gauge how much is left, so that at a limit nobody new comes in
/// and what can be let go of is let go of, before the system ends the process. Garbage is given back first.
/// </summary>
public sealed class MemoryWatch : IDisposable
{
    private const long CollectPauseMs = 500;

    private readonly MemoryOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly IMemorySource? _source;
    private readonly Func<long> _heapLimit;
    private readonly Lock _looking = new();
    private ITimer? _timer;
    private long _collectedAt;
    private long _usedBytes;
    private bool _isDisposed;
    private MemoryLevel _told;

    /// <summary>Finds the limit; nothing is watched before <see cref="Start"/>.</summary>
    public MemoryWatch(MemoryOptions options, TimeProvider time, ILogger log)
        : this(options, time, log, options is { LimitBytes: > 0 } ? new ProcessMemory(options.LimitBytes) : CgroupMemory.Find())
    {
    }

    internal MemoryWatch(MemoryOptions options, TimeProvider time, ILogger log, IMemorySource? source, Func<long>? heapLimit = null)
    {
        _heapLimit = heapLimit ?? (static () => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        _options = options;
        _time = time;
        _log = log;
        _source = source;
        _collectedAt = time.GetTimestamp() - (time.TimestampFrequency * CollectPauseMs / 1000);
    }

    /// <summary>What was found last; for the loops.</summary>
    public MemoryGauge Gauge { get; } = new();

    /// <summary>Adds the instruments to <paramref name="meter"/>.</summary>
    public void Register(Meter meter)
    {
        ArgumentNullException.ThrowIfNull(meter);
        meter.CreateObservableGauge("trunkline.memory.limit", () => _source?.LimitBytes ?? 0, "By", "Bytes this process may have; 0 when no limit is known.");
        meter.CreateObservableGauge("trunkline.memory.used", () => Volatile.Read(ref _usedBytes), "By", "Bytes in use, of that or of what the runtime gives the managed heap, whichever has less left.");
        meter.CreateObservableGauge("trunkline.memory.level", () => (int)Gauge.Level, null, "0 enough, 1 the reserve is reached, 2 memory is let go of.");
    }

    /// <summary>Begins to look.</summary>
    public void Start()
    {
        if (_source is null)
        {
            return;
        }

        _log.MemoryWatched(_source.LimitBytes, _options.ReservePercent);
        var interval = TimeSpan.FromMilliseconds(_options.CheckIntervalMs);
        _timer = _time.CreateTimer(static watch => ((MemoryWatch)watch!).Look(), this, interval, interval);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer?.Dispose();
        lock (_looking)
        {
            _isDisposed = true;
            _source?.Dispose();
        }
    }

    /// <summary>One look.</summary>
    internal void Look()
    {
        // A look that takes longer than the interval, as a collection may, is not joined by the next.
        if (!_looking.TryEnter())
        {
            return;
        }

        try
        {
            if (!_isDisposed)
            {
                Judge();
            }
        }
        catch (Exception exception) when (exception is IOException or FormatException)
        {
            // No descriptor or memory for a moment: what was found last stands until the next look.
        }
        finally
        {
            _looking.Exit();
        }
    }

    private void Judge()
    {
        (long used, long limit) = Measure();
        MemoryLevel level = LevelOf(used, limit);
        if (level != MemoryLevel.Ample && _time.GetElapsedTime(_collectedAt).TotalMilliseconds >= CollectPauseMs)
        {
            // At once, for the look after it comes too late where memory goes fast.
            Gauge.Level = level;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            _collectedAt = _time.GetTimestamp();
            (used, limit) = Measure();
            level = LevelOf(used, limit);
        }

        Volatile.Write(ref _usedBytes, used);

        // Half of what is left above the last reserve: a buffer that grows is there twice for a moment.
        Gauge.Allow(long.Max(0, limit - used - (limit / 100 * _options.ShedPercent)) / 2);
        Gauge.Level = level;
        Tell(level, used, limit);
    }

    /// <summary>
    /// What is used of what: the whole against its limit, or the managed heap against the one the runtime gives it within a
    /// cgroup (three quarters, beyond which it throws), whichever has less left.
    /// </summary>
    private (long Used, long Limit) Measure()
    {
        long limit = _source!.LimitBytes;
        long used = _source.ReadUsedBytes();
        long heapLimit = _heapLimit();
        if (heapLimit >= limit)
        {
            return (used, limit);
        }

        long heap = GC.GetTotalMemory(forceFullCollection: false);
        return heap / (double)heapLimit > used / (double)limit ? (heap, heapLimit) : (used, limit);
    }

    private void Tell(MemoryLevel level, long used, long limit)
    {
        if (level == _told)
        {
            return;
        }

        _told = level;
        if (level == MemoryLevel.Ample)
        {
            _log.MemoryIsAmple(used, limit);
        }
        else
        {
            _log.MemoryIsScarce(level, used, limit);
        }
    }

    private MemoryLevel LevelOf(long used, long limit)
    {
        double left = 100.0 * (limit - used) / limit;
        return left < _options.ShedPercent ? MemoryLevel.Short
            : left < _options.ReservePercent ? MemoryLevel.Low
            : MemoryLevel.Ample;
    }
}
