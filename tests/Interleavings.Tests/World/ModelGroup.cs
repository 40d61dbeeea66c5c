using Trunkline.Broker;
using Trunkline.Hosting.Devices;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Interleavings;

/// <summary>One group: the real broker on a loop of its own, over a log that outlives it.</summary>
internal sealed class ModelGroup
{
    private readonly ModelTier _tier;
    private readonly int _index;
    private readonly BrokerOptions _options;
    private int _runs;

    public ModelGroup(ModelTier tier, int index)
    {
        _tier = tier;
        _index = index;
        _options = new BrokerOptions
        {
            LogBlockBytes = 4096,
            LogMaximumMessages = tier.Settings.LogMessages,
            TailIntervalMs = 100,
            NodeGoneMs = tier.Without == Rule.ShareOfTheDeadGoesOn ? 86_400_000 : 1_000,
            ShareRecordMs = tier.Settings.ShareRecordMs,
            ShareKeptSeconds = tier.Without == Rule.ShareWaitsForMembers ? 0 : 86_400,
        };
        Log = new ModelLog(tier.ClockLoop, _options, tier.Without, tier.Settings.GroupsKeep, $"{index}", tier.Ledger.Story);
        Seat = new Seat($"group {index}");
        Connector = new MemoryConnector($"group-{index}", () => Seat.Loop, Door);
        Start();
    }

    public Seat Seat { get; }

    public ModelLog Log { get; private set; }

    public Door Door { get; } = new();

    /// <summary>Where nodes dial.</summary>
    public MemoryConnector Connector { get; }

    /// <summary>Killed, and started again at once on what it had kept.</summary>
    public void Restart()
    {
        Door.Vanish();
        Log.Recover();
        Start();
    }

    private void Start()
    {
        Seat.Loop = _tier.NewLoop($"group-{_index}");
        var context = new SessionContext(Seat.Loop, new MqttOptions { ReceiveMaximum = 65_535, MaximumSubscriptions = 100_000 });
        var broker = new BrokerGroup(new BrokerSetup
        {
            Name = $"group-{_index}",
            Options = _options,
            Context = context,
            Log = Log,
            Incarnation = $"run{_index}x{++_runs}",
        });
        broker.Start();
        var acceptor = new DeviceAcceptor(new DeviceServer([context], [broker]), 10_000);
        Door.Target = _tier.Without == Rule.LinkResumesAtItsPosition ? new ForgetfulResumes(acceptor) : acceptor;
    }
}

/// <summary>A loop that the scheduler gives turns to.</summary>
internal sealed class Seat(string name)
{
    public string Name { get; } = name;

    public ManualLoop Loop { get; set; } = null!;

    /// <summary>False while nobody runs there: dead or frozen.</summary>
    public bool IsRunning { get; set; } = true;

    /// <summary>Time has passed since its last turn.</summary>
    public bool IsDue { get; set; }

    public bool HasWork => IsRunning && (IsDue || !Loop.IsIdle);

    public void Turn()
    {
        IsDue = false;
        Loop.RunTurn();
    }
}
