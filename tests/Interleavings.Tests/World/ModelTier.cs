using System.Diagnostics.Metrics;
using Trunkline.Directory;
using Trunkline.Transports;

namespace Trunkline.Interleavings;

/// <summary>
/// The tier of the model: nodes, groups and devices of real code on loops that turn one at a time, one clock, one directory.
/// Nothing happens in it but by <see cref="Do(in Step)"/>, so the same steps always come to the same end.
/// </summary>
internal sealed partial class ModelTier : IDisposable
{
    private const int MostTurns = 20_000;
    private readonly ModelNode?[] _nodes;
    private readonly Seat[] _nodeSeats;
    private ulong _lastNodeId;
    private bool _holdsSweeps;

    public ModelTier(Settings settings, Rule? without, List<string>? story = null)
    {
        Settings = settings;
        Ledger = new Ledger { Story = story, MayBeSkipped = settings.Skips };
        Without = without;
        ClockLoop = NewLoop("clock");
        DirectoryTime = new DirectoryTime(Clock);
        Memory = new DirectoryMemory(DirectoryTime);
        Watch = new TokenWatch(Ledger)
        {
            NobodyMayDie = settings.Faults is Faults.DirectoryStands or Faults.DirectoryAway,
            EndedMayStartLower = settings.Faults == Faults.DirectoryClock,
            Died = NodeIsGone,
        };
        Tampering = new Tampering(without, settings.Directory, Clock)
        {
            Dead = (victim, found) => Watch.Declared(victim, new(found)),
        };
        DeviceSeat.Loop = NewLoop("devices");
        Groups = [.. Enumerable.Range(0, settings.Groups).Select(index => new ModelGroup(this, index))];
        Devices =
        [
            .. settings.Subscribers.Select((qos, n) => new ModelDevice(this, $"s{n}", qos, hasWill: false) { IsMember = n < settings.Members }),
            .. Enumerable.Range(0, settings.Publishers).Select(n => new ModelDevice(this, $"p{n}", null, n < settings.Wills)
            {
                IsClean = n >= settings.Publishers - settings.CleanPublishers,
            }),
        ];
        Buckets = Devices.Select(device => Bucket.Of(device.ClientId)).ToHashSet();
        _nodeSeats = [.. Enumerable.Range(0, settings.Nodes).Select(slot => new Seat($"node {slot}"))];
        _nodes = new ModelNode?[settings.Nodes];
        for (int slot = 0; slot < _nodes.Length; slot++)
        {
            StartNode(slot);
        }

        Seats = [.. _nodeSeats, .. Groups.Select(group => group.Seat), DeviceSeat];
        Pass(600);
    }

    public Settings Settings { get; }

    /// <summary>The rule that is taken out; null for none.</summary>
    public Rule? Without { get; }

    public ManualTime Clock { get; } = new();

    /// <summary>A loop that always runs, for the clocks of what outlives processes.</summary>
    public ManualLoop ClockLoop { get; }

    public Meter Meter { get; } = new("Trunkline.Model");

    /// <summary>What the directory takes for the time of day.</summary>
    public DirectoryTime DirectoryTime { get; }

    public DirectoryMemory Memory { get; }

    public Ledger Ledger { get; }

    public TokenWatch Watch { get; }

    public Tampering Tampering { get; }

    public IReadOnlySet<int> Buckets { get; }

    /// <summary>Calls to the directory that nobody waits for any more and that may still take effect.</summary>
    public List<StoreCall> Late { get; } = [];

    public IReadOnlyList<ModelGroup> Groups { get; }

    public IReadOnlyList<ModelDevice> Devices { get; }

    public Seat DeviceSeat { get; } = new("devices");

    /// <summary>Everything that takes turns: nodes, groups, devices.</summary>
    public IReadOnlyList<Seat> Seats { get; }

    public IReadOnlyList<ModelNode?> Nodes => _nodes;

    public ManualLoop NewLoop(string name) => new(Clock, new LoopOptions { Name = name, InputPerTurnBytes = 4096 });

    public void Dispose() => Meter.Dispose();

    private void StartNode(int slot)
    {
        // Rising and spread, so that who comes first in an order by identity changes.
        ulong id = (++_lastNodeId * 0x9E37_79B9_7F4A_7C15) >> 1;
        _nodes[slot] = new ModelNode(this, _nodeSeats[slot], slot, id);
        _nodes[slot]!.Store.HoldsSweeps = _holdsSweeps;
    }

    /// <summary>Whoever is held longer than its lease is dead to the tier: the wills of its devices are right, connected or not.</summary>
    private void NodeIsGone(NodeId node)
    {
        foreach (ModelDevice device in Devices)
        {
            if (device.Connection is { Will: { } will } connection && connection.Node.Id == node)
            {
                Ledger.Turned(will, WillState.MayCome);
            }
        }
    }

    /// <summary>Moves the clock and lets what is due outside loops happen.</summary>
    private void Advance(int milliseconds)
    {
        Clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
        ClockLoop.RunTurn();
        foreach (Seat seat in Seats)
        {
            seat.IsDue = true;
        }

        foreach (ModelNode? node in _nodes)
        {
            node?.Fire();
        }
    }

    /// <summary>Everything that runs, runs until nobody has anything to do at this time.</summary>
    private void Run(bool servesDirectory = true)
    {
        int turns = 0;
        bool worked = true;
        while (worked)
        {
            worked = false;
            foreach (Seat seat in Seats)
            {
                while (seat.HasWork)
                {
                    seat.Turn();
                    worked = true;
                    if (++turns > MostTurns)
                    {
                        throw new InvalidOperationException($"The model did not come to rest; {seat.Name} goes on and on.");
                    }
                }
            }

            foreach (ModelGroup group in Groups)
            {
                worked |= group.Log.HasUncommitted;
                group.Log.Commit();
            }

            foreach (ModelNode? node in servesDirectory ? _nodes : [])
            {
                worked |= node is not null && Serve(node, int.MaxValue);
            }
        }
    }

    /// <summary>Time goes by with nobody held up but those who are frozen.</summary>
    private void Pass(int milliseconds, bool servesDirectory = true)
    {
        Run(servesDirectory);
        for (; milliseconds > 0; milliseconds -= 100)
        {
            Advance(100);
            Run(servesDirectory);
        }
    }

    /// <summary>The directory does so many calls of a node and answers them; messages of other nodes come. Whether there was anything.</summary>
    private static bool Serve(ModelNode node, int calls)
    {
        if (node.IsFrozen)
        {
            // What it sent is done; the answers wait.
            bool waits = node.Store.HasWaiting;
            while (node.Store.HasWaiting && calls-- > 0)
            {
                node.Store.Apply();
            }

            return waits;
        }

        bool any = node.Store.HasDone || node.Store.HasWaiting || node.Store.Inbox > 0;
        while ((node.Store.HasDone || node.Store.HasWaiting) && calls-- > 0)
        {
            node.Store.Apply();
            node.Store.Answer();
        }

        while (node.Store.Inbox > 0)
        {
            node.Store.Receive();
        }

        return any;
    }
}
