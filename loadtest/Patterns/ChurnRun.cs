namespace Trunkline.Loadtest;

/// <summary>
/// churn: cycles of connect, subscribe, disconnect, each under a new client id and filter. At a rate the cycles are due
/// whatever became of those before, and wait for one of the connections; at maximum every connection begins the next
/// cycle as soon as it ended one.
/// </summary>
internal sealed class ChurnRun : ILoadRun, IClientOwner
{
    private const long ScheduleAheadNs = 20_000_000;

    private readonly LoadSession _session;
    private readonly LoadOptions _options;
    private readonly Lane[] _lanes;

    /// <summary>Makes the connections' clients.</summary>
    public ChurnRun(LoadSession session)
    {
        _session = session;
        _options = session.Options;
        LoadPlan plan = PlanBuilder.Build(_options, session.Prefix);
        _lanes = [.. session.Loops.Select(loop => new Lane(loop))];
        foreach (ClientSpec spec in plan.Clients)
        {
            LoadLoop loop = session.LoopOf(spec);
            _lanes[loop.Index].Idle.Enqueue(new MqttClient(spec, session.Settings, loop, session.Connectors, this));
        }
    }

    /// <inheritdoc/>
    public int Clients => _options.Count;

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stop)
    {
        RunWatch watch = _session.Watch;
        await watch.MarkConnectedAsync();
        // A schedule begins a little later, when every loop has it; at maximum rate the first message goes at once.
        long startNs = _session.Clock.NowNs + (IsMaximumRate ? 0 : ScheduleAheadNs);
        long fromNs = startNs + (long)_options.WarmUp.TotalNanoseconds;
        long toNs = _options.Duration > TimeSpan.Zero ? fromNs + (long)_options.Duration.TotalNanoseconds : long.MaxValue;
        watch.Phase = "churning";
        await _session.OnAllAsync(loop => StartOn(_lanes[loop.Index], startNs, fromNs, toNs));
        await _session.WaitAsync(TimeSpan.FromMicroseconds((fromNs - _session.Clock.NowNs) / 1000.0), stop);
        await watch.BeginAsync(fromNs);
        while (!stop.IsCancellationRequested && _session.Clock.NowNs < toNs && !await IsLimitReachedAsync())
        {
            await _session.WaitAsync(TimeSpan.FromMilliseconds(20), stop);
        }

        await watch.EndAsync(toNs);
        await _session.OnAllAsync(loop => Stop(_lanes[loop.Index]));
        await _session.UntilAsync(_ => _lanes.All(lane => Volatile.Read(ref lane.Busy) == 0), _options.Drain, stop);
        watch.SetMissing(0, _lanes.Sum(lane => lane.Due.Count));
    }

    /// <inheritdoc/>
    public void OnReady(MqttClient client) => client.Disconnect(abort: false);

    /// <inheritdoc/>
    public void OnFailed(MqttClient client, string reason) => Next(client, isWhole: false);

    /// <inheritdoc/>
    public void OnEnded(MqttClient client, bool wanted, string reason) => Next(client, wanted);

    private bool IsMaximumRate => _options.IsMaximumRate || _options.ConnectRate <= 0;

    private void StartOn(Lane lane, long startNs, long fromNs, long toNs)
    {
        lane.Loop.Figures.MeasureFromNs = fromNs;
        lane.Loop.Figures.MeasureToNs = toNs;
        lane.IsRunning = true;
        int loops = _session.Loops.Count;
        lane.Left = _options.Limit == 0 ? long.MaxValue : Math.Max(1, _options.Limit / loops);
        if (IsMaximumRate)
        {
            while (lane.Idle.Count > 0 && lane.Left > 0)
            {
                Begin(lane, lane.Idle.Dequeue(), _session.Clock.NowNs);
            }

            return;
        }

        double intervalNs = 1e9 / _options.ConnectRate * loops;
        lane.Pacer = new Pacer(lane.Loop, _session.Clock, _options.Tick);
        long count = toNs == long.MaxValue ? lane.Left : Math.Min(lane.Left, (long)Math.Ceiling((toNs - startNs) / intervalNs));
        lane.Pacer.Start(startNs + (intervalNs * lane.Loop.Index / loops), intervalNs, count, (_, dueNs) =>
        {
            if (lane.Idle.TryDequeue(out MqttClient? client))
            {
                Begin(lane, client, dueNs);
            }
            else
            {
                lane.Due.Enqueue(dueNs);
            }
        });
    }

    private static void Stop(Lane lane)
    {
        lane.IsRunning = false;
        lane.Pacer?.Stop();
    }

    private void Begin(Lane lane, MqttClient client, long dueNs)
    {
        lane.Left--;
        lane.Busy++;
        client.Spec = PlanBuilder.NextCycle(client.Spec, _options, _session.Prefix, lane.Cycle++);
        client.Connect(dueNs);
    }

    private void Next(MqttClient client, bool isWhole)
    {
        LoadLoop loop = _session.LoopOf(client.Spec);
        Lane lane = _lanes[loop.Index];
        lane.Busy--;
        if (isWhole && loop.Figures.IsMeasured(_session.Clock.NowNs))
        {
            loop.Figures.Counts.Cycles++;
            loop.Figures.Cycle.Record(_session.Clock.NowNs - client.DueNs);
        }

        bool isPaced = lane.Pacer is not null;
        if (lane.IsRunning && lane.Left > 0 && !isPaced)
        {
            Begin(lane, client, _session.Clock.NowNs);
        }
        else if (lane.IsRunning && lane.Due.TryDequeue(out long dueNs))
        {
            Begin(lane, client, dueNs);
        }
        else
        {
            lane.Idle.Enqueue(client);
        }
    }

    private async Task<bool> IsLimitReachedAsync()
    {
        if (_options.Limit == 0)
        {
            return false;
        }

        bool[] done = new bool[_lanes.Length];
        await _session.OnAllAsync(loop => done[loop.Index] = _lanes[loop.Index] is { Left: <= 0, Busy: 0 });
        return done.All(isDone => isDone);
    }

    /// <summary>One loop's connections. Loop thread only.</summary>
    private sealed class Lane(LoadLoop loop)
    {
        public int Busy;

        public LoadLoop Loop => loop;

        public Queue<MqttClient> Idle { get; } = new();

        public Queue<long> Due { get; } = new();

        public Pacer? Pacer { get; set; }

        public bool IsRunning { get; set; }

        public long Left { get; set; }

        public long Cycle { get; set; }
    }
}
