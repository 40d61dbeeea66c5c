namespace Trunkline.Loadtest;

/// <summary>Measures the processes of one name over a run. One thread.</summary>
internal sealed class ProcessWatch(string name, IReadOnlyList<int> pids)
{
    private double _beginCpu;
    private double _endCpu;
    private double _lastCpu;
    private long _lastNs;
    private bool _isGone;

    /// <summary>The name.</summary>
    public string Name => name;

    /// <summary>Its processes.</summary>
    public IReadOnlyList<int> Pids => pids;

    /// <summary>Memory before the first connection.</summary>
    public long RssBefore { get; private set; }

    /// <summary>Memory with all connected.</summary>
    public long RssConnected { get; private set; }

    /// <summary>Memory at the end.</summary>
    public long RssEnd { get; private set; }

    /// <summary>The most seen at a sample.</summary>
    public long RssPeak { get; private set; }

    /// <summary>CPU of the measured time.</summary>
    public double CpuSeconds => Math.Max(0, _endCpu - _beginCpu);

    /// <summary>Whether one of its processes ended meanwhile: its figures are no longer whole.</summary>
    public bool IsGone => _isGone;

    /// <summary>Before the first connection.</summary>
    public void MarkBefore() => RssBefore = ReadExactly();

    /// <summary>All connected.</summary>
    public void MarkConnected() => RssConnected = ReadExactly();

    /// <summary>The measured time begins.</summary>
    public void Begin() => _beginCpu = _endCpu = Read().CpuSeconds;

    /// <summary>The measured time ends.</summary>
    public void End()
    {
        ProcessSample sample = Read();
        _endCpu = sample.CpuSeconds;
        RssEnd = ReadExactly();
    }

    /// <summary>One sample: share of one core since the last one, and memory.</summary>
    public ProcessSecond Sample(long nowNs)
    {
        ProcessSample sample = Read();
        double share = _lastNs == 0 ? 0 : Math.Max(0, sample.CpuSeconds - _lastCpu) / ((nowNs - _lastNs) / 1e9);
        _lastCpu = sample.CpuSeconds;
        _lastNs = nowNs;
        return new ProcessSecond(name, share, sample.RssBytes);
    }

    private long ReadExactly()
    {
        long rss = pids.Sum(pid => ProcessSample.ReadExactRss(pid) ?? ProcessSample.Read(pid)?.RssBytes ?? 0);
        RssPeak = Math.Max(RssPeak, rss);
        return rss;
    }

    private ProcessSample Read()
    {
        double cpu = 0;
        long rss = 0;
        foreach (int pid in pids)
        {
            if (ProcessSample.Read(pid) is { } sample)
            {
                cpu += sample.CpuSeconds;
                rss += sample.RssBytes;
            }
            else
            {
                _isGone = true;
            }
        }

        RssPeak = Math.Max(RssPeak, rss);
        return new ProcessSample(cpu, rss);
    }
}
