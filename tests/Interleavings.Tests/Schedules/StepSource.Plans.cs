using Trunkline.Protocol;

namespace Trunkline.Interleavings;

/// <content>Sequences of steps that bring a fault about, for what single steps reach too seldom.</content>
internal sealed partial class StepSource
{
    /// <summary>A node is held until it is dead to the others; it goes on for a moment while they are about to take its sessions.</summary>
    private Step HeldSweep()
    {
        int victim = _random.Next(_tier.Nodes.Count);
        Plan(new(StepKind.Run));
        Plan(new(StepKind.HoldSweeps, 1));
        Plan(new(StepKind.Freeze, victim));
        Plan(new(StepKind.Pass, 3_000));
        Plan(new(StepKind.Thaw, victim));
        for (int i = _random.Next(1, 4); i > 0; i--)
        {
            Plan(new(StepKind.Run));
            Plan(Event(StepKind.Publish));
        }

        Plan(new(StepKind.Run));
        Plan(new(StepKind.HoldSweeps, 0));
        Plan(new(StepKind.Pass, 400));
        return Event(StepKind.Publish);
    }

    /// <summary>A device is away while much is published, and comes back in small steps.</summary>
    private Step Return()
    {
        int device = _random.Next(_tier.Settings.Subscribers.Count);
        Plan(new(StepKind.Run));
        for (int i = int.Min(_random.Next(10, 40), _tier.Settings.MostMessages - _tier.Ledger.Messages); i > 0; i--)
        {
            Plan(Event(StepKind.Publish));
            if (_random.Next(3) == 0)
            {
                Plan(new(StepKind.Run));
            }
        }

        Plan(new(StepKind.Run));
        Plan(Event(StepKind.Connect) with { A = device });
        _fine = _random.Next(20, 80);
        return new(StepKind.Leave, device);
    }

    /// <summary>
    /// A QoS 2 message is durable and on its way to a member, in small steps of which none makes anything durable; then a
    /// broker dies.
    /// </summary>
    private Step TakeAndRestart()
    {
        if (_isTaking)
        {
            _isTaking = false;
            return new(StepKind.RestartGroup, _random.Next(_tier.Groups.Count));
        }

        _isTaking = true;
        Step publish = Event(StepKind.Publish) with { C = (int)QoS.ExactlyOnce };
        Plan(publish);
        for (int turn = 0; turn < 2; turn++)
        {
            for (int seat = _tier.Seats.Count - 1; seat >= 0; seat--)
            {
                Plan(new(StepKind.Turn, seat));
            }

            for (int node = 0; node < _tier.Nodes.Count; node++)
            {
                Plan(new(StepKind.Serve, node, 4));
            }
        }

        for (int group = 0; group < _tier.Groups.Count; group++)
        {
            Plan(new(StepKind.Commit, group));
        }

        _fine = _random.Next(10, 60);
        _holdsCommits = true;
        return new(StepKind.Run);
    }

    /// <summary>Each topic has a retained message before anybody subscribes.</summary>
    private IEnumerable<Step> RetainAll() =>
    [
        .. Enumerable.Range(0, _tier.Settings.Topics.Count).Select(topic => Event(StepKind.Publish) with { B = topic }),
        new(StepKind.Run),
    ];

    /// <summary>A device connects; of one that is to subscribe much happens in small steps, and then it loses what it was at.</summary>
    private Step Subscribe(int device)
    {
        if (!_tier.Devices[device].IsSubscribed)
        {
            _fine = _random.Next(20, 120);
            _amid = device;
        }

        return new(StepKind.Connect, device, _random.Next(_tier.Nodes.Count));
    }

    private Step Amid(int device) => (_random.Next(4), _tier.Devices[device].Connection) switch
    {
        (0, _) => new(StepKind.Drop, device),
        (1, _) => new(StepKind.Connect, device, _random.Next(_tier.Nodes.Count)),
        (2, { Node: { IsGone: false } node }) => new(StepKind.Kill, node.Slot, _random.Next(2)),
        _ => Event(),
    };

    /// <summary>A device connects again, most often to the node it is at.</summary>
    private Step Again(int device) => new(
        StepKind.Connect,
        device,
        _random.Next(4) > 0 && _tier.Devices[device].Connection is { } connection ? connection.Node.Slot : _random.Next(_tier.Nodes.Count));

    /// <summary>
    /// A device moves away from a node that is held and does not hear of it; then the directory loses everything, and both
    /// nodes write back what they hold.
    /// </summary>
    private Step MovedBeforeEmptied()
    {
        int device = _random.Next(_tier.Devices.Count);
        int held = _tier.Devices[device].Connection is { Node.IsGone: false } connection ? connection.Node.Slot : _random.Next(_tier.Nodes.Count);
        Plan(new(StepKind.Freeze, held));
        Plan(new(StepKind.Connect, device, (held + 1 + _random.Next(_tier.Nodes.Count - 1)) % _tier.Nodes.Count));
        Plan(new(StepKind.Pass, 400));
        for (int i = _random.Next(3); i > 0; i--)
        {
            Plan(Event(StepKind.Publish));
            Plan(new(StepKind.Run));
        }

        Plan(new(StepKind.EmptyDirectory, _random.Next(2)));
        Plan(new(StepKind.Thaw, held));
        Plan(new(StepKind.Pass, 400));
        return new(StepKind.Run);
    }

    /// <summary>A device gets a message or two, and its node dies; it goes on elsewhere, with time for nothing more than that.</summary>
    private Step DiesAfterMessage()
    {
        int device = _random.Next(_tier.Settings.Subscribers.Count);
        int dies = _tier.Devices[device].Connection is { Node.IsGone: false } connection ? connection.Node.Slot : _random.Next(_tier.Nodes.Count);
        for (int i = _random.Next(1, 3); i > 0; i--)
        {
            Plan(Event(StepKind.Publish));
            Plan(new(StepKind.Run));
        }

        Plan(new(StepKind.Kill, dies));
        Plan(new(StepKind.Connect, device, (dies + 1 + _random.Next(_tier.Nodes.Count - 1)) % _tier.Nodes.Count));
        Plan(new(StepKind.Pass, 400));
        Plan(new(StepKind.Start, dies));
        Plan(new(StepKind.Run));
        return new(StepKind.Run);
    }
}
