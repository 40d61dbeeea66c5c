namespace Trunkline.Loadtest;

/// <summary>conn, pub, sub, pubsub, fanin, fanout and pair: connect, warm up, measure, let it drain.</summary>
internal sealed class SteadyRun(LoadSession session) : ILoadRun
{
    private const long ScheduleAheadNs = 20_000_000;

    private readonly LoadOptions _options = session.Options;
    private readonly ClientSet _clients = new(session, PlanBuilder.Build(session.Options, session.Prefix));
    private readonly Pacer?[] _pacers = new Pacer?[session.Loops.Count];
    private readonly MaximumRatePump?[] _pumps = new MaximumRatePump?[session.Loops.Count];

    /// <inheritdoc/>
    public int Clients => _clients.All.Count;

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stop)
    {
        RunWatch watch = session.Watch;
        watch.Phase = "connecting";
        await _clients.ConnectAsync(client => client.Publisher < 0 || client.Filter is not null, stop);
        await _clients.ConnectAsync(client => client.Publisher >= 0 && client.Filter is null, stop);
        await watch.MarkConnectedAsync();

        // A schedule begins a little later, when every loop has it; at maximum rate the first message goes at once.
        long startNs = session.Clock.NowNs + (_options.IsMaximumRate ? 0 : ScheduleAheadNs);
        long fromNs = startNs + (long)_options.WarmUp.TotalNanoseconds;
        long toNs = _options.Duration > TimeSpan.Zero ? fromNs + (long)_options.Duration.TotalNanoseconds : long.MaxValue;
        watch.Phase = _options.WarmUp > TimeSpan.Zero ? "warming up" : "measuring";
        await session.OnAllAsync(loop => StartOn(loop, startNs, fromNs, toNs));
        await WaitUntilAsync(fromNs, stop);
        await watch.BeginAsync(fromNs);
        watch.Phase = "measuring";
        await MeasureAsync(toNs, stop);
        await watch.EndAsync(toNs);
        await session.OnAllAsync(StopOn);
        watch.Phase = "draining";
        await DrainAsync(stop);
        (long lost, long backlog) = await _clients.MissingAsync();
        watch.SetMissing(lost, backlog);
        await _clients.DisconnectAsync();
    }

    private void StartOn(LoadLoop loop, long startNs, long fromNs, long toNs)
    {
        loop.Figures.MeasureFromNs = fromNs;
        loop.Figures.MeasureToNs = toNs;
        IReadOnlyList<Publisher> publishers = _clients.PublishersOn(loop);
        if (publishers.Count == 0)
        {
            return;
        }

        int all = _clients.Plan.Publishers;
        long limit = _options.Limit == 0 ? long.MaxValue : ShareOf(_options.Limit, loop, publishers.Count, all);
        if (_options.IsMaximumRate)
        {
            _pumps[loop.Index] = new MaximumRatePump(loop, session.Clock, Gate);
            _pumps[loop.Index]!.Start(publishers, limit);
            return;
        }

        double rate = (_options.Rate > 0 ? _options.Rate : all * 1000 / _options.MessageIntervalMs) * publishers.Count / all;
        double intervalNs = 1e9 / rate;
        double firstNs = startNs + (intervalNs * loop.Index / session.Loops.Count);
        for (int i = 0; i < publishers.Count; i++)
        {
            publishers[i].SetPace(firstNs + (i * intervalNs), intervalNs * publishers.Count);
        }

        var pacer = new Pacer(loop, session.Clock, _options.Tick);
        _pacers[loop.Index] = pacer;
        long count = toNs == long.MaxValue ? limit : Math.Min(limit, (long)Math.Ceiling((toNs - firstNs) / intervalNs));
        pacer.Start(firstNs, intervalNs, count, (step, _) => publishers[(int)(step % publishers.Count)].Release());
    }

    private OutstandingGate Gate { get; } = new(session.Options.Outstanding, [.. session.Loops.Select(loop => loop.Figures)]);

    /// <summary>A loop's part of a limit; the first loops with publishers take what does not divide.</summary>
    private static long ShareOf(long limit, LoadLoop loop, int publishers, int all)
    {
        long share = limit * publishers / all;
        return loop.Index == 0 ? Math.Max(share, 1) : share;
    }

    private void StopOn(LoadLoop loop)
    {
        _pacers[loop.Index]?.Stop();
        _pumps[loop.Index]?.Stop();
        loop.Figures.MeasureToNs = Math.Min(loop.Figures.MeasureToNs, session.Clock.NowNs);
    }

    /// <summary>Waits for the end of the time, the limit of messages or the user.</summary>
    private async Task MeasureAsync(long toNs, CancellationToken stop)
    {
        bool hasLimit = _options.Limit > 0 && _options.Publishes;
        while (!stop.IsCancellationRequested && session.Clock.NowNs < toNs)
        {
            TimeSpan step = TimeSpan.FromMilliseconds(hasLimit ? 20 : 100);
            TimeSpan left = toNs == long.MaxValue ? step : TimeSpan.FromMicroseconds((toNs - session.Clock.NowNs) / 1000.0);
            await session.WaitAsync(left < step ? left : step, stop);
            if (hasLimit && await IsAllSentAsync())
            {
                return;
            }
        }
    }

    private async Task<bool> IsAllSentAsync()
    {
        bool[] done = new bool[session.Loops.Count];
        await session.OnAllAsync(loop => done[loop.Index] =
            (_pacers[loop.Index]?.IsDone ?? true) && (_pumps[loop.Index]?.IsDone ?? true)
            && _clients.PublishersOn(loop).All(publisher => publisher.Backlog == 0));
        return done.All(isDone => isDone);
    }

    private async Task WaitUntilAsync(long ns, CancellationToken stop)
    {
        long leftNs = ns - session.Clock.NowNs;
        if (leftNs > 0)
        {
            await session.WaitAsync(TimeSpan.FromMicroseconds(leftNs / 1000.0), stop);
        }
    }

    /// <summary>Until all that must come has come, or nothing came for a second, or the time is over.</summary>
    private async Task DrainAsync(CancellationToken stop)
    {
        long endNs = session.Clock.NowNs + (long)_options.Drain.TotalNanoseconds;
        long quietSinceNs = session.Clock.NowNs;
        Counters before = await session.CountAsync();
        while (!stop.IsCancellationRequested && session.Clock.NowNs < endNs)
        {
            Counters now = await session.CountAsync();
            bool isAcknowledged = _options.QoS == Protocol.QoS.AtMostOnce || now.Acknowledged >= now.Published;
            if (now.Delivered >= now.Expected && isAcknowledged)
            {
                return;
            }

            if (now.Delivered != before.Delivered || now.Acknowledged != before.Acknowledged)
            {
                quietSinceNs = session.Clock.NowNs;
                before = now;
            }
            else if (session.Clock.NowNs - quietSinceNs > 1_000_000_000 && _options.QoS == Protocol.QoS.AtMostOnce)
            {
                return;
            }

            await session.WaitAsync(TimeSpan.FromMilliseconds(20), stop);
        }
    }
}
