using Microsoft.Extensions.Logging;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// The upstream side of one process: publish links per loop and group, a receiver per group, the routers that sessions
/// see. Any thread may call it; everything inside happens on the loops.
/// </summary>
public sealed class LinkNode
{
    private readonly NodeWiring _wiring;
    private readonly LinkGroup[] _groups;
    private readonly LoopRouter[] _routers;
    private readonly GroupReceiver[] _receivers;
    private readonly Probe?[] _probes;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private volatile bool _isStopped;

    /// <summary>Builds the links; nothing is dialled before <see cref="StartAsync"/>.</summary>
    /// <exception cref="ArgumentException">The setup is wrong; the message says how.</exception>
    public LinkNode(LinkNodeSetup setup)
    {
        string errors = string.Join(" ", setup.Validate());
        if (errors.Length > 0)
        {
            throw new ArgumentException(errors, nameof(setup));
        }

        ILogger log = setup.LoggerFactory.CreateLogger("Trunkline.Links");
        _wiring = new NodeWiring(setup, log);
        _time = setup.Contexts[0].Loop.Time;
        _startedAt = _time.GetTimestamp();
        _groups = [.. setup.Groups.Select((endpoint, index) => new LinkGroup(_wiring, index, endpoint))];
        _routers = [.. setup.Contexts.Select(context => new LoopRouter(_wiring, context, _groups, setup.Slots, ReadSys))];
        _receivers = Array.ConvertAll(_groups, group => new GroupReceiver(group, _routers));
        _probes = new Probe?[_groups.Length];
        foreach (LoopRouter router in _routers)
        {
            router.Wire(_receivers);
        }
    }

    /// <summary>Whether every group was probed and all its links were connected at least once.</summary>
    public bool IsReady => Array.TrueForAll(_groups, group => group.IsReady);

    /// <summary>How each group stands now.</summary>
    public IReadOnlyList<GroupStatus> Groups => Array.ConvertAll(_groups, group => group.Status());

    /// <summary>The router for the sessions of a loop.</summary>
    public IMessageRouter RouterFor(int loopIndex) => _routers[loopIndex];

    /// <summary>The counters of a loop's links.</summary>
    public LinkCounters CountersOf(int loopIndex) => _routers[loopIndex].Counters;

    /// <summary>
    /// Probes foreign groups and connects. Ends when every group is ready or refused, or when the time for starting is
    /// over; the links of groups that are away go on trying.
    /// </summary>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        foreach (LinkGroup group in _groups)
        {
            _receivers[group.Index].Loop.Post(() => Start(group));
        }

        var decided = Task.WhenAll(_groups.Select(group => group.Decided));
        try
        {
            await decided.WaitAsync(TimeSpan.FromMilliseconds(_wiring.Options.StartTimeoutMs), _time, cancellation);
        }
        catch (TimeoutException)
        {
            // A group that is away at the start is away as at any other time: /readyz says so.
        }
    }

    /// <summary>
    /// Waits for outstanding acknowledgements within the named time, then leaves every broker in order. Close the devices
    /// first, so that nothing new comes.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellation = default)
    {
        _isStopped = true;
        var flushes = Array.ConvertAll(_routers, router => Flush(router));
        await Task.WhenAll(flushes).WaitAsync(cancellation);
        var stops = _receivers.Select(receiver => receiver.Loop.InvokeAsync(() =>
        {
            _probes[receiver.Group.Index]?.Stop();
            receiver.Stop();
        }));
        await Task.WhenAll(stops).WaitAsync(cancellation);
    }

    /// <summary>Goes over to a newer slot map; an older one is ignored.</summary>
    public void UpdateSlots(SlotMap slots)
    {
        foreach (LoopRouter router in _routers)
        {
            router.Loop.Post(() =>
            {
                // One line for the node: all loops have the same map.
                if (router.UpdateSlots(slots) && ReferenceEquals(router, _routers[0]))
                {
                    LinksLog.SlotsChanged(_wiring.Log, slots.ToString());
                }
            });
        }
    }

    private void Start(LinkGroup group)
    {
        if (!group.IsForeign)
        {
            group.Admit();
            Connect(group);
            return;
        }

        if (group.Endpoint.Log is null)
        {
            LinksLog.NoLog(_wiring.Log, group.Endpoint.Name);
        }

        SessionContext context = _wiring.Contexts[_receivers[group.Index].Loop.Index];
        _probes[group.Index] = new Probe(group, context.Loop, () =>
        {
            group.Admit();
            Connect(group);
        });
        _probes[group.Index]!.Begin();
    }

    private void Connect(LinkGroup group)
    {
        if (_isStopped)
        {
            return;
        }

        _receivers[group.Index].Start();
        foreach (LoopRouter router in _routers)
        {
            if (router.Loop == _receivers[group.Index].Loop)
            {
                router.Start(group.Index);
            }
            else
            {
                router.Loop.Post(() => router.Start(group.Index));
            }
        }
    }

    private Task Flush(LoopRouter router)
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        router.Loop.Post(() => new FlushTimer(router, flushed, router.Loop.NowMs + _wiring.Options.FlushTimeoutMs).Check());
        return flushed.Task;
    }

    private SysValues ReadSys() => SysValues.Read(
        _wiring.Contexts, _wiring.Version, (long)_time.GetElapsedTime(_startedAt).TotalSeconds);

    private sealed class FlushTimer(LoopRouter router, TaskCompletionSource flushed, long dueMs) : LoopTimer
    {
        public void Check()
        {
            if (router.IsIdle || router.Loop.NowMs >= dueMs)
            {
                router.Stop();
                flushed.TrySetResult();
            }
            else
            {
                router.Loop.Timers.Schedule(this, TimerWheel.SlotMs);
            }
        }

        protected override void OnDue() => Check();
    }
}
