using Trunkline.Broker;
using Trunkline.Hosting.Devices;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Links.Tests;

/// <summary>Nodes with two loops each, and groups of our real broker, all in memory on fake time.</summary>
internal sealed class TestTier
{
    private readonly List<ManualLoop> _loops = [];
    private readonly HashSet<ManualLoop> _paused = [];
    private readonly ManualLoop _deviceLoop;
    private readonly int _groupCount;
    private readonly BrokerOptions _broker;
    private readonly Func<SessionContext, GroupStore>? _store;

    public TestTier(int nodes = 1, int groups = 2, LinkOptions? options = null, Func<int>? bytesUntilCut = null, int loopsPerNode = 2, MqttOptions? mqtt = null,
        BrokerOptions? broker = null, Func<SessionContext, GroupStore>? store = null)
    {
        Mqtt = mqtt ?? new MqttOptions { MaximumSubscriptions = 1_000_000, ReceiveMaximum = 65_535 };
        _groupCount = groups;
        _broker = broker ?? new BrokerOptions();
        _store = store;
        Options = options ?? new LinkOptions { Seed = 7 };
        Time = new ManualTime();
        _deviceLoop = AddLoop("devices", 0);
        BrokerLoops = [.. Enumerable.Range(0, groups).Select(group => AddLoop($"group-{group}", 0))];
        Acceptors = new Swap[groups];
        for (int group = 0; group < groups; group++)
        {
            Acceptors[group] = new Swap(bytesUntilCut);
            StartBroker(group);
        }

        Nodes = [.. Enumerable.Range(0, nodes).Select(node => AddNode(node, loopsPerNode, bytesUntilCut))];
        Run();
    }

    public ManualTime Time { get; }

    public LinkOptions Options { get; }

    public MqttOptions Mqtt { get; }

    public ManualLoop[] BrokerLoops { get; }

    public BrokerGroup[] Groups { get; } = new BrokerGroup[4];

    public TestNode[] Nodes { get; }

    public Swap[] Acceptors { get; }

    /// <summary>A new, empty broker in the place of the old one.</summary>
    public void StartBroker(int group)
    {
        var context = new SessionContext(BrokerLoops[group], new MqttOptions
        {
            MaximumSubscriptions = 1_000_000,
            ReceiveMaximum = 65_535,
            MaximumPacketSize = 4 * 1024 * 1024,
        });
        Groups[group] = new BrokerGroup(new BrokerSetup { Name = $"group-{group}", Options = _broker, Context = context, Store = _store?.Invoke(context) });
        Groups[group].Start();
        Acceptors[group].Target = new DeviceAcceptor(new DeviceServer([context], [Groups[group]]), 10_000);
    }

    public void Run() => ManualLoop.RunUntilIdle(_loops.Where(loop => !_paused.Contains(loop)).ToArray());

    /// <summary>The loops of a node, to be paused and to go on: a paused loop takes no turn.</summary>
    public void Pause(int node, int loop, bool paused)
    {
        var target = (ManualLoop)Nodes[node].Contexts[loop].Loop;
        if (paused)
        {
            _paused.Add(target);
        }
        else
        {
            _paused.Remove(target);
        }
    }

    /// <summary>So many turns of every loop, one after the other.</summary>
    public void RunTurns(int turns)
    {
        for (; turns > 0; turns--)
        {
            _loops.Where(loop => !_paused.Contains(loop)).ToList().ForEach(loop => loop.RunTurn());
        }
    }

    /// <summary>So many turns of whichever loop the dice say.</summary>
    public void RunRandomTurns(Random random, int turns)
    {
        for (; turns > 0; turns--)
        {
            _loops[random.Next(_loops.Count)].RunTurn();
        }
    }

    /// <summary>Connects devices in one step.</summary>
    public void ConnectAll(IEnumerable<TestDevice> devices, int node = 0)
    {
        BeginConnectAll(devices, node);
        Run();
    }

    /// <summary>Has devices connect in the turns that follow.</summary>
    public void BeginConnectAll(IEnumerable<TestDevice> devices, int node = 0)
    {
        foreach (TestDevice device in devices)
        {
            Nodes[node].Devices.Connect(_deviceLoop, device);
        }
    }

    public void Advance(int milliseconds)
    {
        while (milliseconds > 0)
        {
            int step = int.Min(64, milliseconds);
            Time.Advance(TimeSpan.FromMilliseconds(step));
            Run();
            milliseconds -= step;
        }
    }

    public TestDevice Connect(string clientId, int node = 0, Protocol.ProtocolVersion version = Protocol.ProtocolVersion.Mqtt50) =>
        Connect(new TestDevice(clientId, version), node);

    /// <summary>A device whose session outlives its connections, and is resumed.</summary>
    public TestDevice Resume(string clientId, int receiveMaximum = 65_535, int node = 0) =>
        Connect(new TestDevice(clientId) { IsPersistent = true, ReceiveMaximum = receiveMaximum }, node);

    public TestDevice Connect(TestDevice device, int node = 0)
    {
        Nodes[node].Devices.Connect(_deviceLoop, device);
        Run();
        Assert.Equal(Protocol.ReasonCode.Success, device.ConnAck);
        return device;
    }

    private ManualLoop AddLoop(string name, int index)
    {
        var loop = new ManualLoop(Time, new LoopOptions { Name = name, Index = index });
        _loops.Add(loop);
        return loop;
    }

    private TestNode AddNode(int number, int loops, Func<int>? bytesUntilCut)
    {
        SessionContext[] contexts = [.. Enumerable.Range(0, loops).Select(index =>
            new SessionContext(AddLoop($"node-{number}-{index}", index), Mqtt))];
        CutConnector[] connectors = [.. Enumerable.Range(0, _groupCount).Select(group =>
            new CutConnector(new MemoryConnector($"group-{group}", () => BrokerLoops[group], Acceptors[group]), bytesUntilCut))];
        var node = new LinkNode(new LinkNodeSetup
        {
            Options = Options,
            NodeId = $"node-{number}",
            Contexts = contexts,
            Groups = [.. connectors.Select((connector, group) => new GroupEndpoint { Name = $"group-{group}", Kind = GroupKind.Embedded, Connector = connector })],
            Slots = SlotMap.Even(_groupCount),
        });
        for (int i = 0; i < loops; i++)
        {
            contexts[i].Router = node.RouterFor(i);
        }

        var server = new DeviceServer(contexts, [.. contexts.Select(_ => new OpenGate())]);
        int next = 0;
        var devices = new MemoryConnector("devices", () => contexts[next++ % loops].Loop, new DeviceAcceptor(server, 10_000));
        return new TestNode(node, contexts, connectors, devices, node.StartAsync());
    }
}

/// <summary>One node of the tier.</summary>
internal sealed record TestNode(LinkNode Links, SessionContext[] Contexts, CutConnector[] Connectors, MemoryConnector Devices, Task Started)
{
    public long Count(LinkCounter counter) => Enumerable.Range(0, Contexts.Length).Sum(index => Links.CountersOf(index).Read(counter));
}

/// <summary>Lets everybody in.</summary>
internal sealed class OpenGate : IConnectGate
{
    public void Ask(ConnectRequest request, Channel channel) => channel.Open();

    public void Closed(Channel channel, in ChannelClose close)
    {
    }
}

/// <summary>An acceptor whose broker can be replaced; its connections can be cut after a random number of bytes from the node.</summary>
internal sealed class Swap(Func<int>? bytesUntilCut) : IConnectionAcceptor
{
    private readonly List<Transport> _far = [];

    public Cutter Cutter { get; } = new(bytesUntilCut);

    public IConnectionAcceptor? Target { get; set; }

    public void OnAccepted(Transport transport)
    {
        _far.Add(transport);
        Target!.OnAccepted(transport);
        Cutter.Watch(transport);
    }

    /// <summary>The far side reads nothing any more on the connections it has, as a stopped process would.</summary>
    public void Stop() => _far.ForEach(transport => transport.PauseReading());

    /// <summary>It goes on.</summary>
    public void Continue() => _far.ForEach(transport => transport.ResumeReading());
}
