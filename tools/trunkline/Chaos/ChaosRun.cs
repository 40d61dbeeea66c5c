using Trunkline.Protocol;
using Trunkline.Tool.Parts;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Chaos;

/// <summary>
/// Load on a tier, faults beside it, then the verdict: devices with persistent sessions publish and subscribe at QoS 1
/// and 2, roam between proxies and leave wills, while parts of the tier are killed, stopped and held by a seeded schedule.
/// </summary>
internal sealed class ChaosRun : IAsyncDisposable
{
    private static readonly QoS[] Qualities = [QoS.AtLeastOnce, QoS.ExactlyOnce];

    private readonly ChaosOptions _options;
    private readonly TimeProvider _time;
    private readonly Action<string> _say;
    private readonly FaultActor _actor;
    private readonly int[] _ports;
    private readonly Random _random;
    private readonly List<ChaosPublisher> _publishers = [];
    private readonly List<ChaosSubscriber> _subscribers = [];
    private readonly List<WillDevice> _wills = [];
    private readonly List<Task> _streams = [];
    private readonly List<string> _deeds = [];
    private readonly CancellationTokenSource _stop = new();

    /// <param name="folder">The folder of a tier that is up.</param>
    /// <param name="options">What to do.</param>
    /// <param name="say">Told of each fault.</param>
    /// <param name="time">The clock.</param>
    public ChaosRun(string folder, ChaosOptions options, Action<string> say, TimeProvider time)
    {
        _options = options;
        _time = time;
        _say = say;
        _actor = new FaultActor(folder, options, time, Say, ForgiveWillsOf);
        _ports = [.. TierRunner.Status(folder).Parts.Where(part => part.Kind == PartKind.Proxy).Select(part => part.Port("mqtt")!.Value)];

        // Devices have chances of their own: how many they take must not move the faults.
        _random = new Random(options.Seed ^ 0x5EED);
    }

    public ChaosLedger Ledger { get; } = new();

    /// <summary>Runs from the first connection to the verdict.</summary>
    public async Task<ChaosVerdict> RunAsync(CancellationToken cancellation)
    {
        long start = _time.GetTimestamp();
        await StartDevicesAsync().WaitAsync(TimeSpan.FromSeconds(60), _time, cancellation);
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task roaming = RoamAsync(ending.Token);
        Task leaving = LeaveWillsAsync(ending.Token);
        await BreakAsync(cancellation);
        await ending.CancelAsync();
        await Task.WhenAll(roaming, leaving);
        double? settled = await SettleAsync(cancellation);
        return Judge(start, settled);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        ChaosClient[] clients =
            [.. _publishers.Select(device => device.Client), .. _subscribers.Select(device => device.Client), .. _wills.Select(device => device.Client)];
        await Task.WhenAll(clients.Select(client => client.StopAsync(cut: true)));
        await Task.WhenAll(_streams);
        foreach (ChaosPublisher publisher in _publishers)
        {
            publisher.Dispose();
        }

        foreach (ChaosClient client in clients.Skip(_publishers.Count))
        {
            client.Dispose();
        }

        _stop.Dispose();
    }

    private int ChoosePort()
    {
        lock (_random)
        {
            return _ports[_random.Next(_ports.Length)];
        }
    }

    /// <summary>
    /// A proxy that is held longer than its lease is dead to the others: they publish its devices' wills, though the devices
    /// do not know yet that they are cut off.
    /// </summary>
    private void ForgiveWillsOf(Part part)
    {
        lock (_wills)
        {
            foreach (WillDevice device in _wills.Where(device => device.Client.Port == part.Port("mqtt")))
            {
                device.Forgive();
            }
        }
    }

    private async Task StartDevicesAsync()
    {
        AddSubscriber("all", [("c/#", QoS.ExactlyOnce)], _ => true);
        AddSubscriber("plus", [("c/+/1/+", QoS.AtLeastOnce)], stream => stream.Split('/')[2] == "1");
        AddSubscriber("overlap", [("c/0/#", QoS.ExactlyOnce), ("c/+/2/0", QoS.ExactlyOnce)],
            stream => stream.StartsWith("c/0/", StringComparison.Ordinal) || stream.EndsWith("/2/0", StringComparison.Ordinal));
        for (int n = 0; n < _options.Publishers; n++)
        {
            (string Filter, QoS QoS)[] exact = [.. StreamsOf(n).Select(stream => (stream.Name, stream.QoS))];
            string own = $"c/{n}/";
            AddSubscriber($"exact-{n}", exact, stream => stream.StartsWith(own, StringComparison.Ordinal));
        }

        if (_options.HasShares)
        {
            AddShare();
        }

        AddWillWatcher();
        await Task.WhenAll(_subscribers.Select(subscriber => subscriber.StartAsync()));
        for (int n = 0; n < _options.Publishers; n++)
        {
            await StartPublisherAsync(n);
        }
    }

    private IEnumerable<(string Name, QoS QoS)> StreamsOf(int publisher) =>
        Qualities.SelectMany(qos => Enumerable.Range(0, _options.Topics).Select(topic => ($"c/{publisher}/{(int)qos}/{topic}", qos)));

    private void AddSubscriber(string name, (string Filter, QoS QoS)[] filters, Func<string, bool> wants)
    {
        Ledger.AddReader(name, wants);
        _subscribers.Add(new ChaosSubscriber(
            OptionsOf($"chaos-{name}"), filters, Ledger, (_, payload, qos) => Ledger.Deliver(name, payload, qos, isOrdered: true), _time));
    }

    /// <summary>Together the members of a share get each message; what one had and did not acknowledge comes to another later.</summary>
    private void AddShare()
    {
        Ledger.AddReader("share", _ => true);
        for (int member = 0; member < 3; member++)
        {
            string name = $"member {member}";
            _subscribers.Add(new ChaosSubscriber(
                OptionsOf($"chaos-share-{member}"),
                [("$share/chaos/c/#", QoS.ExactlyOnce)],
                Ledger,
                (how, payload, qos) => Ledger.Deliver("share", payload, qos, isOrdered: false, $"{name} at {_time.GetUtcNow():HH:mm:ss.fff} ({how})"),
                _time));
        }
    }

    private void AddWillWatcher() => _subscribers.Add(new ChaosSubscriber(
        OptionsOf("chaos-wills"), [("will/#", QoS.ExactlyOnce)], Ledger, (_, payload, _) => Ledger.WillCame(payload), _time));

    private async Task StartPublisherAsync(int number)
    {
        (string Name, QoS QoS)[] streams = [.. StreamsOf(number)];
        ChaosPublisher publisher = new(OptionsOf($"chaos-publisher-{number}", number), Ledger, streams.Length, _time);
        _publishers.Add(publisher);
        await publisher.Client.StartAsync();
        foreach ((string name, QoS qos) in streams)
        {
            _streams.Add(publisher.PublishAsync(name, qos, _options.PublishInterval, _time, _stop.Token));
        }
    }

    private ChaosClientOptions OptionsOf(string clientId, int number = 0) => new()
    {
        ClientId = clientId,
        ChoosePort = ChoosePort,

        // Both versions have their own way through the proxy.
        Version = number % 2 == 0 ? ProtocolVersion.Mqtt50 : ProtocolVersion.Mqtt311,
    };

    private async Task RoamAsync(CancellationToken cancellation)
    {
        Random random = new(_options.Seed ^ 0x0A11);
        while (_options.RoamInterval > TimeSpan.Zero && await PauseAsync(_options.RoamInterval, cancellation))
        {
            ChaosClient client = _subscribers[random.Next(_subscribers.Count)].Client;
            if (random.Next(2) == 0)
            {
                client.Cut();
            }
            else
            {
                await client.DisconnectAsync();
            }
        }
    }

    private async Task LeaveWillsAsync(CancellationToken cancellation)
    {
        Random random = new(_options.Seed ^ 0x3111);
        for (int n = 0; _options.WillInterval > TimeSpan.Zero && await PauseAsync(_options.WillInterval, cancellation); n++)
        {
            WillDevice device = new($"will-{n}", ChoosePort, Ledger, () => _actor.IsCalm, _actor.IsStopping, _actor.IsHeld, _time);
            lock (_wills)
            {
                _wills.Add(device);
            }

            // It stays a while; the one before the one before it goes now.
            _ = device.Client.StartAsync().ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            if (n >= 3)
            {
                Task ended = _wills[n - 3].EndAsync(random.Next(2) == 0);
                await Task.WhenAny(ended, Task.Delay(_options.LongestAway, _time, cancellation));
            }
        }
    }

    private async Task BreakAsync(CancellationToken cancellation)
    {
        FaultSchedule schedule = new(_options);
        long start = _time.GetTimestamp();
        while (_time.GetElapsedTime(start) < _options.Duration)
        {
            Fault first = schedule.Next();
            List<Task<string?>> faults = [_actor.RunAsync(first, cancellation)];
            if (first.IsPaired)
            {
                faults.Add(_actor.RunAsync(schedule.Next(), cancellation));
            }

            foreach (string? deed in await Task.WhenAll(faults))
            {
                if (deed is not null)
                {
                    _deeds.Add(deed);
                }
            }

            if (!await PauseAsync(_options.Pause, cancellation))
            {
                break;
            }
        }

        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>Publishing ends; then everything acknowledged comes, and every will that is due, or the deadline passes.</summary>
    private async Task<double?> SettleAsync(CancellationToken cancellation)
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_streams);
        long start = _time.GetTimestamp();
        while (_time.GetElapsedTime(start) < _options.SettleDeadline)
        {
            if (_publishers.All(publisher => publisher.Unacknowledged == 0) && Ledger.Missing().Count == 0 && Ledger.WillsMissing().Count == 0)
            {
                double settled = _time.GetElapsedTime(start).TotalSeconds;

                // What comes too often comes late: a further while for repeats and wills that must not come.
                await PauseAsync(TimeSpan.FromSeconds(2), cancellation);
                return settled;
            }

            await PauseAsync(TimeSpan.FromMilliseconds(100), cancellation);
        }

        return null;
    }

    private ChaosVerdict Judge(long start, double? settled)
    {
        IReadOnlyList<string> missing = Ledger.Missing();
        IReadOnlyList<string> wills = Ledger.WillsMissing();
        return new ChaosVerdict
        {
            Seed = _options.Seed,
            Seconds = Math.Round(_time.GetElapsedTime(start).TotalSeconds, 1),
            Faults = _deeds,
            Acknowledged = Ledger.Acknowledged,
            Delivered = Ledger.Delivered,
            Refused = Ledger.Refused,
            Lost = missing.Count,
            Duplicates = Ledger.Duplicates,
            Repeats = Ledger.Repeats,
            OrderViolations = Ledger.OrderViolations,
            SessionsLost = Ledger.SessionsLost,
            WillsDue = Ledger.WillsDue,
            WillsMissing = wills.Count,
            WillsWrong = Ledger.WillsWrong,
            SettledAfterSeconds = settled is null ? null : Math.Round(settled.Value, 1),
            Examples = [.. Ledger.Examples, .. missing.Take(20), .. wills.Take(5).Select(will => $"the will of {will} did not come")],
        };
    }

    private async Task<bool> PauseAsync(TimeSpan pause, CancellationToken cancellation)
    {
        await Task.Delay(pause, _time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !cancellation.IsCancellationRequested;
    }

    private void Say(string what) => _say(what);
}
