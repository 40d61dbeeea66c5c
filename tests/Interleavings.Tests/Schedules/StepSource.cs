using Trunkline.Protocol;

namespace Trunkline.Interleavings;

/// <summary>
/// Chooses what happens next, by a seed. Each history has its own grain, from one in which everybody comes to rest after
/// each event to one in which loops, calls and answers are let happen one by one, and its own choice of faults: a history
/// with few kinds of them goes deeper than one with all.
/// </summary>
internal sealed partial class StepSource
{
    private readonly Random _random;
    private readonly ModelTier _tier;
    private readonly double _grain;
    private readonly HashSet<StepKind> _faults;
    private readonly List<(int Weight, StepKind Kind)> _choices = [];
    private readonly Queue<Step> _planned = new();
    private int _fine;
    private bool _holdsCommits;
    private bool _isTaking;
    private int? _amid;

    public StepSource(ModelTier tier)
    {
        _tier = tier;
        _random = new Random(tier.Settings.Seed);
        _grain = tier.Settings.Faults switch
        {
            Faults.DirectoryStands or Faults.DirectoryAway => 0,
            Faults.HeldSweeps => 0.1,
            Faults.Returns => 0.7,
            Faults.Reconnects => 0.9,
            Faults.ShareTakes => 0.1,
            _ => _random.Next(4) switch { 0 => 0.1, 1 => 0.4, 2 => 0.7, _ => 0.9 },
        };
        _faults = tier.Settings.Faults switch
        {
            Faults.DirectoryStands => [StepKind.DirectoryStands],
            Faults.DirectoryAway => [StepKind.DirectoryAway],
            Faults.DirectoryClock => [StepKind.DirectoryClock, .. Enum.GetValues<StepKind>().Where(kind => kind is StepKind.Kill or StepKind.Freeze or StepKind.Cut
                or StepKind.AnswerAtOnce or StepKind.Leave or StepKind.Drop && _random.Next(2) == 0)],
            Faults.HeldSweeps => [StepKind.HoldSweeps, StepKind.AnswerAtOnce],
            Faults.EmptiedDirectory => [StepKind.EmptyDirectory, StepKind.AnswerAtOnce, StepKind.Leave, StepKind.Drop],
            Faults.EmptiedAmidMoves => [StepKind.EmptyDirectory, StepKind.AnswerAtOnce],

            // Nothing that makes a publisher repeat what the log has: its copies count towards a subscriber's limit.
            Faults.Returns => [StepKind.Leave, StepKind.AnswerAtOnce, .. Enum.GetValues<StepKind>().Where(kind => kind is StepKind.CutLink
                or StepKind.RestartGroup && _random.Next(2) == 0)],
            Faults.Reconnects => [StepKind.Kill, StepKind.Drop, StepKind.Leave],
            Faults.ShareTakes => [StepKind.RestartGroup, .. Enum.GetValues<StepKind>().Where(kind => kind is StepKind.Kill or StepKind.Drop
                or StepKind.CutLink && _random.Next(2) == 0)],
            Faults.Retained => [.. Enum.GetValues<StepKind>().Where(kind => kind is StepKind.Kill or StepKind.Freeze or StepKind.Cut or StepKind.CutLink
                or StepKind.AnswerAtOnce or StepKind.Leave or StepKind.Drop or StepKind.Time && _random.Next(2) == 0)],
            Faults.RetainedPages or Faults.RetainedSkips => [StepKind.Drop, .. Enum.GetValues<StepKind>().Where(kind => kind is StepKind.Kill or StepKind.Freeze or StepKind.Cut
                or StepKind.CutLink or StepKind.AnswerAtOnce or StepKind.Leave or StepKind.Time && _random.Next(2) == 0)],
            Faults.IdsComeRound => [StepKind.Kill, .. Enum.GetValues<StepKind>().Where(kind => kind is StepKind.Drop or StepKind.Leave
                or StepKind.AnswerAtOnce && _random.Next(2) == 0)],
            Faults.Drains => [StepKind.Drain, StepKind.AnswerAtOnce, StepKind.Leave, StepKind.Drop],
            Faults.LateCalls => [StepKind.Cut, StepKind.Kill, StepKind.Drop],
            _ => [.. Enum.GetValues<StepKind>().Where(kind => kind is StepKind.Kill or StepKind.Freeze or StepKind.Cut or StepKind.CutLink
                or StepKind.RestartGroup or StepKind.AnswerAtOnce or StepKind.Leave or StepKind.Drop or StepKind.Time && _random.Next(2) == 0)],
        };
        if (!tier.Settings.GroupsKeep)
        {
            _faults.Add(StepKind.RestartGroup);
        }
    }

    /// <summary>Everybody connects, and is let subscribe.</summary>
    public IEnumerable<Step> Begin() =>
    [
        // Where messages are retained, and where filters come late, who subscribes comes later, amid them.
        .. Enumerable.Range(0, _tier.Devices.Count).Where(device => !_tier.Settings.SubscribersComeLater || device >= _tier.Settings.Subscribers.Count).Select(device => new Step(StepKind.Connect, device, _random.Next(_tier.Nodes.Count))),
        new(StepKind.Run),
        .. _tier.Settings.HasPages ? RetainAll() : [],
    ];

    /// <summary>
    /// How it ends: in half of the histories what is late comes at last, and in half of them every node dies, so that only
    /// what is stored goes on.
    /// </summary>
    public IEnumerable<Step> End()
    {
        if (_tier.Settings.Faults is Faults.DirectoryStands or Faults.DirectoryAway or Faults.Drains)
        {
            yield break;
        }

        if (_tier.Settings.Faults is Faults.EmptiedDirectory or Faults.EmptiedAmidMoves)
        {
            foreach (int slot in Enumerable.Range(0, _tier.Nodes.Count).Where(slot => _tier.Nodes[slot] is { IsFrozen: true }).ToArray())
            {
                yield return new Step(StepKind.Thaw, slot);
            }

            // What is held is written back by then.
            yield return new Step(StepKind.Pass, 3_000);
        }

        for (int late = _random.Next(2) * _tier.Late.Count; late > 0; late--)
        {
            yield return new Step(StepKind.Late, 0);
        }

        for (int slot = _random.Next(2) * _tier.Nodes.Count; slot > 0; slot--)
        {
            yield return new Step(StepKind.Kill, slot - 1, _random.Next(2));
        }
    }

    public Step Next()
    {
        if (_planned.TryDequeue(out Step planned))
        {
            return planned;
        }

        if (_fine > 0)
        {
            _fine--;
            Step fine = Fine();
            _holdsCommits &= _fine > 0;
            return fine;
        }

        if (_isTaking)
        {
            return TakeAndRestart();
        }

        if (_amid is { } device)
        {
            _amid = null;
            return Amid(device);
        }

        _fine = _random.NextDouble() < _grain ? _random.Next(1, 14) : 0;
        return _random.NextDouble() < 0.5 * (1 - _grain) ? new Step(StepKind.Run) : Event();
    }

    private Step Fine()
    {
        int node = _random.Next(_tier.Nodes.Count);
        int[] working = [.. Enumerable.Range(0, _tier.Seats.Count).Where(seat => _tier.Seats[seat].HasWork)];
        switch (_random.Next(20))
        {
            case < 11 when working.Length > 0:
                return new Step(StepKind.Turn, working[_random.Next(working.Length)]);
            case < 14:
                return new Step(StepKind.Apply, node);
            case < 16:
                return new Step(StepKind.Answer, node);
            case < 17:
                return new Step(StepKind.Receive, node);
            case < 18 when !_holdsCommits:
                return new Step(StepKind.Commit, _random.Next(_tier.Groups.Count));
            case < 19 when _tier.Late.Count > 0:
                return new Step(StepKind.Late, _random.Next(_tier.Late.Count));
            default:
                return new Step(StepKind.Serve, node, _random.Next(1, 5));
        }
    }

    private Step Event()
    {
        _choices.Clear();
        Offer(14, StepKind.Connect);
        Offer(10, StepKind.Subscribe, _tier.Settings.FiltersComeLater && _tier.Devices.Any(device => device is { IsOnline: true, IsSubscribed: false }));
        Offer(26, StepKind.Publish, _tier.Ledger.Messages < _tier.Settings.MostMessages);
        Offer(9, StepKind.Pass);
        Offer(3, StepKind.Time, _faults.Contains(StepKind.Time));
        Offer(6, StepKind.AnswerSome, _tier.Devices.Any(device => device.Owed > 0));
        Offer(5, StepKind.AnswerAtOnce, _faults.Contains(StepKind.AnswerAtOnce));
        Offer(5, StepKind.Drop, _faults.Contains(StepKind.Drop));
        Offer(_tier.Settings.Faults == Faults.Returns ? 12 : 2, StepKind.Leave, _faults.Contains(StepKind.Leave));
        Offer(_tier.Settings.Faults == Faults.IdsComeRound ? 10 : 3, StepKind.Kill, _faults.Contains(StepKind.Kill));
        Offer(8, StepKind.Drain, _faults.Contains(StepKind.Drain));
        Offer(20, StepKind.Kill, _tier.Nodes.Any(node => node is { IsDeclaredDead: true } or { MayLeave: true }));
        Offer(8, StepKind.Start, _tier.Nodes.Any(node => node is null));
        Offer(4, StepKind.Freeze, _faults.Contains(StepKind.Freeze));
        Offer(8, StepKind.Thaw, _tier.Nodes.Any(node => node is { IsFrozen: true }));
        Offer(_tier.Settings.Faults == Faults.LateCalls && _tier.Nodes.Any(node => node is { Store.HasChanges: true }) ? 20 : 3,
            StepKind.Cut, _faults.Contains(StepKind.Cut));
        Offer(8, StepKind.HoldSweeps, _faults.Contains(StepKind.HoldSweeps));
        Offer(3, StepKind.CutLink, _faults.Contains(StepKind.CutLink));
        Offer(_tier.Settings.Faults == Faults.ShareTakes ? 14 : _tier.Settings.GroupsKeep ? 2 : 6, StepKind.RestartGroup, _faults.Contains(StepKind.RestartGroup));
        Offer(6, StepKind.EmptyDirectory, _faults.Contains(StepKind.EmptyDirectory));
        Offer(6, StepKind.Late, _tier.Late.Count > 0);
        Offer(5, StepKind.DirectoryClock, _faults.Contains(StepKind.DirectoryClock));
        Offer(5, StepKind.DirectoryAway, _faults.Contains(StepKind.DirectoryAway));
        Offer(5, StepKind.DirectoryStands, _faults.Contains(StepKind.DirectoryStands));
        int dice = _random.Next(_choices.Sum(choice => choice.Weight));
        int at = 0;
        while (dice >= _choices[at].Weight)
        {
            dice -= _choices[at++].Weight;
        }

        return Event(_choices[at].Kind);
    }

    private void Offer(int weight, StepKind kind, bool isPossible = true)
    {
        if (isPossible)
        {
            _choices.Add((weight, kind));
        }
    }

    private Step Event(StepKind kind)
    {
        int nodes = _tier.Nodes.Count;
        int devices = _tier.Devices.Count;
        int subscribers = _tier.Settings.Subscribers.Count;
        return kind switch
        {
            StepKind.Connect when _tier.Settings.Faults == Faults.Reconnects => Again(_random.Next(devices)),
            StepKind.Connect when _tier.Settings.HasPages => Subscribe(Device()),
            StepKind.Connect => new(kind, Device(), _random.Next(nodes)),
            StepKind.Publish => new(kind, _random.Next(subscribers, devices), _random.Next(_tier.Settings.Topics.Count), QoSToPublish()),
            StepKind.Pass => new(kind, _random.Next(8) switch { < 4 => 100, < 6 => 400, < 7 => 1_000, _ => 3_000 }),
            StepKind.Time => new(kind, _random.Next(2) == 0 ? 70 : 300),
            StepKind.DirectoryStands => new(kind, _random.Next(2) == 0 ? 1_000 : 3_500),
            StepKind.DirectoryClock => new(kind, 1_000 * _random.Next(1, 6)),
            StepKind.DirectoryAway => new(kind, 100 * _random.Next(1, 10), _random.Next(nodes), 100 * _random.Next(15)),
            StepKind.Subscribe => new(kind, _random.Next(subscribers)),
            StepKind.AnswerSome or StepKind.AnswerAtOnce => new(kind, _random.Next(subscribers), _random.Next(2)),
            StepKind.Leave when _tier.Settings.Faults == Faults.Returns => Return(),
            StepKind.Drop or StepKind.Leave => new(kind, _random.Next(devices)),
            StepKind.HoldSweeps => HeldSweep(),
            StepKind.EmptyDirectory when _tier.Settings.Faults == Faults.EmptiedAmidMoves => MovedBeforeEmptied(),
            StepKind.EmptyDirectory => new(kind, _random.Next(2)),
            StepKind.Cut when _tier.Settings.Faults == Faults.LateCalls && Slot(node => node is { Store.HasChanges: true }) is { } busy =>
                new(kind, busy, _random.Next(4) > 0 ? 1 : 0),
            StepKind.Kill when _tier.Settings.Faults == Faults.IdsComeRound && Slot(node => node is null) is null => DiesAfterMessage(),
            StepKind.Kill when Slot(node => node is { IsDeclaredDead: true } or { MayLeave: true }) is { } dead => new(kind, dead, 0),
            StepKind.Start => new(kind, Slot(node => node is null) ?? 0),
            StepKind.Thaw => new(kind, Slot(node => node is { IsFrozen: true }) ?? 0),
            StepKind.Late => new(kind, _random.Next(_tier.Late.Count)),
            StepKind.RestartGroup when _tier.Settings.Faults == Faults.ShareTakes => TakeAndRestart(),
            StepKind.RestartGroup => new(kind, _random.Next(_tier.Groups.Count)),
            StepKind.CutLink => new(kind, _random.Next(nodes), _random.Next(_tier.Groups.Count)),
            _ => new(kind, _random.Next(nodes), _random.Next(2)),
        };
    }

    /// <summary>One that is away, more often than one that is not: that one moves.</summary>
    private int Device()
    {
        if (_tier.Settings.Faults == Faults.Returns)
        {
            return _random.Next(_tier.Settings.Subscribers.Count);
        }

        int[] away = [.. Enumerable.Range(0, _tier.Devices.Count).Where(device => !_tier.Devices[device].IsOnline)];
        return away.Length > 0 && _random.Next(4) > 0 ? away[_random.Next(away.Length)] : _random.Next(_tier.Devices.Count);
    }

    private void Plan(in Step step) => _planned.Enqueue(step);

    private int QoSToPublish() => _tier.Settings.GroupsKeep && _random.Next(3) > 0 ? (int)QoS.ExactlyOnce : (int)QoS.AtLeastOnce;

    private int? Slot(Predicate<ModelNode?> isMeant)
    {
        int[] slots = [.. Enumerable.Range(0, _tier.Nodes.Count).Where(slot => isMeant(_tier.Nodes[slot]))];
        return slots.Length == 0 ? null : slots[_random.Next(slots.Length)];
    }
}
