namespace Trunkline.Loadtest;

/// <summary>
/// Watches a run from outside of the loops: a sample a second of counters, latency and processes, and the marks between
/// its phases. Called by the run's own flow; the sampler runs beside it and takes turns by a lock.
/// </summary>
internal sealed class RunWatch
{
    private const string OwnName = "loadtest";

    private readonly IReadOnlyList<LoadLoop> _loops;
    private readonly LoadClock _clock;
    private readonly Lock _lock = new();
    private readonly List<RunSecond> _seconds = [];
    private readonly List<StormResult> _storms = [];
    private readonly long _startNs;
    private Counters _last;
    private long _lastNs;
    private Counters _atBegin;
    private long _fromNs;
    private long _beginNs;

    /// <summary>Takes the memory before the first connection.</summary>
    public RunWatch(LoadOptions options, IReadOnlyList<LoadLoop> loops, LoadClock clock)
    {
        _loops = loops;
        _clock = clock;
        _startNs = _lastNs = clock.NowNs;
        StartedAt = clock.Time.GetUtcNow();
        Processes =
        [
            .. options.Processes.GroupBy(process => process.Name, StringComparer.Ordinal)
                .Select(group => new ProcessWatch(group.Key, [.. group.Select(process => process.Pid)])),
            new ProcessWatch(OwnName, [Environment.ProcessId]),
        ];
        foreach (ProcessWatch process in Processes)
        {
            process.MarkBefore();
        }
    }

    /// <summary>What the run is doing, in a word or two.</summary>
    public volatile string Phase = "starting";

    /// <summary>Wall clock at the start.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>The processes; the last is this one.</summary>
    public IReadOnlyList<ProcessWatch> Processes { get; }

    /// <summary>Connections that stood when all had been tried.</summary>
    public long ConnectedAtMark { get; private set; }

    /// <summary>Time until then.</summary>
    public double ConnectSeconds { get; private set; }

    /// <summary>Length of the measured time.</summary>
    public double MeasuredSeconds { get; private set; }

    /// <summary>Time between the two readings of CPU, which on a busy machine is a little longer.</summary>
    public double CpuSeconds { get; private set; }

    /// <summary>Messages published between them.</summary>
    public long Published { get; private set; }

    /// <summary>First copies delivered between them.</summary>
    public long Delivered { get; private set; }

    /// <summary>Cycles that ended between them.</summary>
    public long Cycles { get; private set; }

    /// <summary>Messages that never came.</summary>
    public long Lost { get; private set; }

    /// <summary>Messages (churn: cycles) due and never begun.</summary>
    public long Backlog { get; private set; }

    /// <summary>Storms so far.</summary>
    public IReadOnlyList<StormResult> Storms => _storms;

    /// <summary>The samples.</summary>
    public IReadOnlyList<RunSecond> Seconds => _seconds;

    /// <summary>All connections have been tried.</summary>
    public async Task MarkConnectedAsync()
    {
        Counters counts = await CountAsync();
        lock (_lock)
        {
            ConnectedAtMark = counts.Connected;
            ConnectSeconds = (_clock.NowNs - _startNs) / 1e9;
            foreach (ProcessWatch process in Processes)
            {
                process.MarkConnected();
            }
        }
    }

    /// <summary>The measured time begins: what CPU is divided by is counted from the moment CPU is read.</summary>
    public async Task BeginAsync(long fromNs)
    {
        Counters counts = await CountAsync();
        lock (_lock)
        {
            _fromNs = fromNs;
            _beginNs = _clock.NowNs;
            _atBegin = counts;
            foreach (ProcessWatch process in Processes)
            {
                process.Begin();
            }
        }
    }

    /// <summary>The measured time ends; it was to end at <paramref name="toNs"/>, or ended early.</summary>
    public async Task EndAsync(long toNs)
    {
        Counters counts = await CountAsync();
        lock (_lock)
        {
            long nowNs = _clock.NowNs;
            MeasuredSeconds = Math.Max(1e-9, (Math.Min(nowNs, toNs) - _fromNs) / 1e9);
            CpuSeconds = Math.Max(1e-9, (nowNs - _beginNs) / 1e9);
            Published = counts.Published - _atBegin.Published;
            Delivered = counts.Delivered - _atBegin.Delivered;
            Cycles = counts.Cycles - _atBegin.Cycles;
            foreach (ProcessWatch process in Processes)
            {
                process.End();
            }
        }

        await SampleAsync();
    }

    /// <summary>What did not come.</summary>
    public void SetMissing(long lost, long backlog)
    {
        Lost = lost;
        Backlog = backlog;
    }

    /// <summary>A storm is over.</summary>
    public void AddStorm(StormResult storm) => _storms.Add(storm);

    /// <summary>Takes a sample now.</summary>
    public async Task<RunSecond> SampleAsync()
    {
        var now = new Counters();
        var latency = new Histogram();
        foreach (LoadLoop loop in _loops)
        {
            await loop.Loop.InvokeAsync(() =>
            {
                now.Add(loop.Figures.Counts);
                latency.Add(loop.Figures.DeliveryOfInterval);
                loop.Figures.DeliveryOfInterval.Reset();
            });
        }

        lock (_lock)
        {
            long nowNs = _clock.NowNs;
            double seconds = Math.Max(1e-3, (nowNs - _lastNs) / 1e9);
            var second = new RunSecond
            {
                At = (nowNs - _startNs) / 1e9,
                Phase = Phase,
                Connected = now.Connected,
                ConnectRate = (now.Connects - _last.Connects) / seconds,
                PublishRate = (now.Published - _last.Published) / seconds,
                DeliverRate = (now.Delivered - _last.Delivered) / seconds,
                P50Us = latency.ValueAt(0.5) / 1e3,
                P99Us = latency.ValueAt(0.99) / 1e3,
                MaxUs = latency.Max / 1e3,
                Processes = [.. Processes.Select(process => process.Sample(nowNs))],
            };
            _last = now;
            _lastNs = nowNs;
            _seconds.Add(second);
            return second;
        }
    }

    private async Task<Counters> CountAsync()
    {
        var all = new Counters();
        foreach (LoadLoop loop in _loops)
        {
            all.Add(await loop.Loop.InvokeAsync(() => loop.Figures.Counts));
        }

        return all;
    }
}
