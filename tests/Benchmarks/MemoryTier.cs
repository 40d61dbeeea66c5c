using System.Globalization;
using Trunkline.Broker;
using Trunkline.Hosting.Devices;
using Trunkline.Links;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Benchmarks;

/// <summary>
/// A proxy's node and a group's broker on loops that are turned by hand, joined over memory: everything that a message
/// passes but sockets and threads. One publisher; subscribers that count.
/// </summary>
internal sealed class MemoryTier
{
    private readonly ManualLoop[] _loops;
    private readonly MemoryConnector _devices;
    private readonly List<MemoryDevice> _subscribers = [];

    public MemoryTier(bool withLinks)
    {
        var time = new ManualTime();
        ManualLoop deviceLoop = new(time, new LoopOptions { Name = "devices" });
        ManualLoop brokerLoop = new(time, new LoopOptions { Name = "group-0" });
        ManualLoop nodeLoop = new(time, new LoopOptions { Name = "node" });
        _loops = [deviceLoop, brokerLoop, nodeLoop];
        var options = new MqttOptions { ReceiveMaximum = 65_535 };
        var brokerContext = new SessionContext(brokerLoop, BrokerSessions.OptionsFor(new MqttOptions()));
        var group = new BrokerGroup(new BrokerSetup { Name = "group-0", Options = new BrokerOptions(), Context = brokerContext });
        group.Start();
        var toBroker = new DeviceAcceptor(new DeviceServer([brokerContext], [group]), 10_000);
        if (withLinks)
        {
            var context = new SessionContext(nodeLoop, options);
            var node = new LinkNode(new LinkNodeSetup
            {
                Options = new LinkOptions { Seed = 7 },
                NodeId = "node",
                Contexts = [context],
                Groups = [new GroupEndpoint { Name = "group-0", Kind = GroupKind.Embedded, Connector = new MemoryConnector("group-0", () => brokerLoop, toBroker) }],
                Slots = SlotMap.Even(1),
            });
            context.Router = node.RouterFor(0);
            Started = node.StartAsync();
            _devices = new MemoryConnector("devices", () => nodeLoop, new DeviceAcceptor(new DeviceServer([context], [new OpenGate()]), 10_000));
        }
        else
        {
            _devices = new MemoryConnector("devices", () => brokerLoop, toBroker);
        }

        Run();
        Publisher = Connect("publisher");
    }

    /// <summary>Completed when the links stand.</summary>
    public Task Started { get; } = Task.CompletedTask;

    public MemoryDevice Publisher { get; }

    /// <summary>Messages that subscribers got.</summary>
    public long Received => _subscribers.Sum(device => device.Received);

    public void Run() => ManualLoop.RunUntilIdle(_loops);

    public void Subscribe(int count, string filter, QoS qos)
    {
        for (int i = 0; i < count; i++)
        {
            MemoryDevice device = Connect(string.Create(CultureInfo.InvariantCulture, $"subscriber-{i}"));
            device.Subscribe(filter, qos);
            _subscribers.Add(device);
        }

        Run();
    }

    private MemoryDevice Connect(string clientId)
    {
        var device = new MemoryDevice(clientId);
        _devices.Connect(_loops[0], device);
        Run();
        return device.IsConnected ? device : throw new InvalidOperationException($"{clientId} is not connected.");
    }

    private sealed class OpenGate : IConnectGate
    {
        public void Ask(ConnectRequest request, Channel channel) => channel.Open();

        public void Closed(Channel channel, in ChannelClose close)
        {
        }
    }
}
