using Trunkline.Hosting;
using Trunkline.Hosting.Devices;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Links.Tests;

/// <summary>Nodes on real loops and time in front of real mosquittos; devices over memory on a loop of their own.</summary>
internal sealed class ForeignTier : IAsyncDisposable
{
    private readonly List<ThreadLoop> _loops = [];
    private readonly List<LinkNode> _nodes = [];
    private readonly List<MemoryConnector> _devices = [];
    private readonly List<SessionContext> _contexts = [];
    private readonly ThreadLoop _deviceLoop;

    public ForeignTier(IReadOnlyList<Mosquitto> brokers, int nodes = 1, GroupKind kind = GroupKind.Foreign, int filtersPerLink = 20_000, int? port = null, IForeignLog? log = null, MqttOptions? mqtt = null, LinkOptions? options = null)
    {
        _deviceLoop = AddLoop("devices", 0);
        for (int node = 0; node < nodes; node++)
        {
            SessionContext[] contexts = [.. Enumerable.Range(0, 2).Select(index => new SessionContext(AddLoop($"n{node}-{index}", index), mqtt ?? new MqttOptions()))];
            var links = new LinkNode(new LinkNodeSetup
            {
                NodeId = $"n{node}",
                Contexts = contexts,
                Options = (options ?? new LinkOptions()) with { Seed = 3, ProbeTimeoutMs = 2_000, StartTimeoutMs = 60_000 },
                Slots = SlotMap.Even(brokers.Count),
                Groups = [.. brokers.Select((broker, index) => new GroupEndpoint
                {
                    Name = $"foreign-{index}",
                    Kind = kind,
                    Connector = new TcpConnector(new TcpConnectorOptions { Port = port ?? broker.Port }),
                    MaximumFiltersPerLink = filtersPerLink,
                    Log = log,
                })],
            });
            for (int i = 0; i < contexts.Length; i++)
            {
                contexts[i].Router = links.RouterFor(i);
            }

            _contexts.AddRange(contexts);
            int next = 0;
            var server = new DeviceServer(contexts, [new OpenGate(), new OpenGate()]);
            _devices.Add(new MemoryConnector("devices", () => contexts[next++ % 2].Loop, new DeviceAcceptor(server, 10_000)));
            _nodes.Add(links);
        }

        _loops.ForEach(loop => loop.Start());
    }

    public IReadOnlyList<LinkNode> Nodes => _nodes;

    /// <summary>Of all nodes.</summary>
    public IReadOnlyList<SessionContext> Contexts => _contexts;

    public Task StartAsync() => Task.WhenAll(_nodes.Select(node => node.StartAsync()));

    public async Task<TestDevice> ConnectAsync(
        string clientId, int node = 0, bool isPersistent = false, ProtocolVersion version = ProtocolVersion.Mqtt50)
    {
        var device = new TestDevice(clientId, version) { IsPersistent = isPersistent };
        _devices[node].Connect(_deviceLoop, device);
        await Until(() => device.ConnAck is not null);
        return device;
    }

    /// <summary>Runs on the devices' loop.</summary>
    public Task<T> Do<T>(Func<T> action) => _deviceLoop.InvokeAsync(action);

    public async Task SubscribeAsync(TestDevice device, string filter, QoS qos = QoS.ExactlyOnce)
    {
        ushort packetId = await Do(() => device.Subscribe(filter, qos));
        await Until(() => device.SubAcks.ContainsKey(packetId));
        Assert.Equal((ReasonCode)qos, await Do(() => device.SubAcks[packetId][0]));
    }

    public async Task PublishAsync(TestDevice device, string topic, string payload, QoS qos, bool retain = false)
    {
        ushort packetId = await Do(() => device.Publish(topic, payload, qos, retain));
        await Until(() => device.Acknowledged.ContainsKey(packetId));
    }

    /// <summary>Looks again after each turn of the devices' loop until something holds.</summary>
    public async Task Until(Func<bool> condition)
    {
        long deadline = TimeProvider.System.GetTimestamp() + (60 * TimeProvider.System.TimestampFrequency);
        while (!await _deviceLoop.InvokeAsync(condition))
        {
            Assert.True(TimeProvider.System.GetTimestamp() < deadline, "What was awaited did not come within 60 s.");
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (LinkNode node in _nodes)
        {
            await node.StopAsync();
        }

        foreach (ThreadLoop loop in _loops)
        {
            await loop.StopAsync();
            loop.Dispose();
        }
    }

    private ThreadLoop AddLoop(string name, int index)
    {
        var loop = new ThreadLoop(new LoopOptions { Name = name, Index = index });
        _loops.Add(loop);
        return loop;
    }
}
