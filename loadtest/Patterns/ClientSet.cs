using System.Text;
using Trunkline.Transports;

namespace Trunkline.Loadtest;

/// <summary>
/// The clients of a plan on their loops, and what becomes of lost connections: they are made again after a delay, or stay
/// lost. Made on any thread before the loops know of it; then each client on its loop only.
/// </summary>
internal sealed class ClientSet : IClientOwner
{
    private const int StormRetryMs = 100;

    private readonly LoadSession _session;
    private readonly List<MqttClient>[] _byLoop;
    private readonly Publisher[] _publishers;
    private readonly int _targets;
    private readonly int _publishTargets;
    private volatile bool _isEnding;

    /// <summary>Makes the clients.</summary>
    public ClientSet(LoadSession session, LoadPlan plan)
    {
        _session = session;
        Plan = plan;
        _targets = session.Options.Targets.Count;
        _publishTargets = session.Options.PublishTargets.Count;
        int[] copies = plan.Copies();
        uint? run = session.Options.Pattern == LoadPattern.Sub ? null : session.Settings.Run;
        All = [.. plan.Clients.Select(spec => Make(spec, copies, run))];
        _publishers = [.. All.Where(client => client.Publisher is not null).Select(client => client.Publisher!).OrderBy(publisher => publisher.Number)];
        _byLoop = [.. session.Loops.Select(loop => All.Where(client => session.LoopOf(client.Spec) == loop).ToList())];
    }

    /// <summary>The plan.</summary>
    public LoadPlan Plan { get; }

    /// <summary>The storm that its clients come back from; null in other patterns.</summary>
    public StormClock? Storm { get; init; }

    /// <summary>All clients, in the order of the plan.</summary>
    public IReadOnlyList<MqttClient> All { get; }

    /// <summary>The clients of one loop.</summary>
    public IReadOnlyList<MqttClient> On(LoadLoop loop) => _byLoop[loop.Index];

    /// <summary>The publishers of one loop.</summary>
    public IReadOnlyList<Publisher> PublishersOn(LoadLoop loop) =>
        [.. On(loop).Where(client => client.Publisher is not null).Select(client => client.Publisher!)];

    /// <summary>Connects a range of clients at the rate of the options and waits until each stands or failed.</summary>
    public async Task ConnectAsync(Func<ClientSpec, bool> which, CancellationToken stop)
    {
        Counters before = await _session.CountAsync();
        int count = All.Count(client => which(client.Spec));
        long startNs = _session.Clock.NowNs;
        double rate = _session.Options.ConnectRate;
        await _session.OnAllAsync(loop =>
        {
            List<MqttClient> mine = [.. On(loop).Where(client => which(client.Spec))];
            double intervalNs = rate > 0 ? 1e9 / rate * count / Math.Max(1, mine.Count) : 0;
            new Pacer(loop, _session.Clock, _session.Options.Tick).Start(
                startNs, intervalNs, mine.Count, (step, dueNs) =>
                {
                    if (!stop.IsCancellationRequested)
                    {
                        mine[(int)step].Connect(dueNs);
                    }
                });
        });
        TimeSpan most = (rate > 0 ? TimeSpan.FromSeconds(count / rate) : TimeSpan.Zero) + (_session.Options.ConnectTimeout * 2);
        await _session.UntilAsync(
            counts => counts.Connected - before.Connected + (counts.ConnectFailures - before.ConnectFailures) >= count, most, stop);
    }

    /// <summary>Disconnects all; what ends from now on is no loss.</summary>
    public async Task DisconnectAsync()
    {
        _isEnding = true;
        await _session.OnAllAsync(loop =>
        {
            foreach (MqttClient client in On(loop))
            {
                client.Disconnect(abort: false);
            }
        });
    }

    /// <summary>Messages that did not reach a subscriber that must get them, and those due that were never sent.</summary>
    public async Task<(long Lost, long Backlog)> MissingAsync()
    {
        uint[] sent = new uint[Plan.Publishers];
        long backlog = 0;
        await _session.OnAllAsync(loop =>
        {
            foreach (Publisher publisher in PublishersOn(loop))
            {
                sent[publisher.Number] = publisher.Sent;
                Interlocked.Add(ref backlog, publisher.Backlog);
            }
        });
        long lost = 0;
        await _session.OnAllAsync(loop =>
        {
            foreach (MqttClient client in On(loop).Where(client => client.Receiver is not null))
            {
                DeliveryCheck check = client.Receiver!.Check;
                long missing = check.Run is null
                    ? check.MissingOfOthers()
                    : Plan.Expected[client.Spec.Index].Sum(publisher => check.MissingOf(publisher, sent[publisher]));
                Interlocked.Add(ref lost, missing);
            }
        });
        return (lost, backlog);
    }

    /// <inheritdoc/>
    public void OnReady(MqttClient client)
    {
        if (Storm is { IsRunning: true } storm)
        {
            _session.LoopOf(client.Spec).Figures.Cycle.Record(storm.OnBack());
        }

        if (client.Receiver is { IsReturning: true } receiver)
        {
            // A publisher of another loop may be a message further: one more or less does not change what is shown.
            receiver.OnBack(
                Plan.Expected[client.Spec.Index].ToDictionary(number => (uint)number, number => _publishers[number].Sent), _session.Clock.NowNs);
        }
    }

    /// <inheritdoc/>
    public void OnFailed(MqttClient client, string reason) =>
        Reconnect(client, Storm is { IsRunning: true } ? TimeSpan.FromMilliseconds(StormRetryMs) : null);

    /// <inheritdoc/>
    public void OnEnded(MqttClient client, bool wanted, string reason)
    {
        if (wanted && Storm is { IsRunning: true } storm)
        {
            client.Connect(storm.StartNs);
        }
        else if (!wanted)
        {
            Reconnect(client, null);
        }
    }

    private void Reconnect(MqttClient client, TimeSpan? otherwise)
    {
        if ((_session.Options.ReconnectDelay ?? otherwise) is { } delay && !_isEnding)
        {
            if (_session.Options.FailsOver)
            {
                client.Spec = client.Spec with { Target = NextTarget(client.Spec) };
            }

            var timer = new ReconnectTimer(client, _session.Clock);
            _session.LoopOf(client.Spec).Loop.Timers.Schedule(timer, (long)delay.TotalMilliseconds);
        }
    }

    /// <summary>The next of the targets that are its own: those of -h, or those of --publish-to.</summary>
    private int NextTarget(ClientSpec client) => client.Target < _targets
        ? (client.Target + 1) % _targets
        : _targets + ((client.Target - _targets + 1) % _publishTargets);

    private MqttClient Make(ClientSpec spec, int[] copies, uint? run)
    {
        LoadLoop loop = _session.LoopOf(spec);
        return new MqttClient(spec, _session.Settings, loop, _session.Connectors, this)
        {
            Publisher = spec.Topic is null
                ? null
                : new Publisher(_session.Settings, loop.Figures, Encoding.UTF8.GetBytes(spec.Topic), spec.Publisher) { Copies = copies[spec.Publisher] },
            Receiver = spec.Filter is null ? null : new Receiver(loop.Figures, run) { Client = spec.Index, LateNs = _session.Options.Late is { } late ? (long)late.TotalNanoseconds : long.MaxValue },
        };
    }

    private sealed class ReconnectTimer(MqttClient client, LoadClock clock) : LoopTimer
    {
        protected override void OnDue() => client.Connect(clock.NowNs);
    }
}
