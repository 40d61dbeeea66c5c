using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker.Tests.Support;

/// <summary>A broker group on a manual loop, and clients joined to it in memory.</summary>
internal sealed class TestBroker
{
    private int _names;

    public TestBroker(
        BrokerOptions? options = null, Func<Loop, BrokerOptions, IGroupLog>? log = null, MqttOptions? mqtt = null, int systemIntervalMs = 0,
        Func<Loop, BrokerOptions, GroupStore>? store = null)
    {
        Options = (options ?? new BrokerOptions()) with { SystemIntervalMs = systemIntervalMs };
        Context = new SessionContext(Loop, mqtt ?? new MqttOptions { MaximumSubscriptions = 1_000_000, ReceiveMaximum = 65_535 });
        Group = new BrokerGroup(new BrokerSetup
        {
            Name = "test",
            Options = Options,
            Context = Context,
            Store = store?.Invoke(Loop, Options),
            Log = log?.Invoke(Loop, Options) ?? (store is null ? new MemoryGroupLog(Loop, Options, term: 100) : null),
            Version = "1.2.3",
            Incarnation = "run-1",
        });
        Group.Start();
    }

    public ManualLoop Loop { get; } = new();

    public BrokerOptions Options { get; }

    public SessionContext Context { get; }

    public BrokerGroup Group { get; }

    /// <summary>What the transport of a receiver holds before its writer is congested.</summary>
    public int LinkCapacityBytes { get; init; } = 256 * 1024;

    public LogPosition Tail => Group.Log.Tail;

    public long Count(BrokerCounter counter) => Group.Counters.Read(counter);

    public void Run() => Loop.RunUntilIdle();

    public void Advance(int ms) => Loop.Advance(TimeSpan.FromMilliseconds(ms));

    /// <summary>Joins a client without CONNECT.</summary>
    public TestClient Join(ProtocolVersion version = ProtocolVersion.Mqtt50, int capacityBytes = 256 * 1024)
    {
        (MemoryTransport near, MemoryTransport far) = MemoryTransport.CreatePair(
            Loop, Loop, TransportSettings.Default, ConnectionOrigin.Memory, capacityBytes);
        far.Handler = new TestConnection(far, Context, Group);
        return new TestClient(this, near, version);
    }

    /// <summary>An ordinary client, connected.</summary>
    public TestClient Client(string? id = null, ProtocolVersion version = ProtocolVersion.Mqtt50, bool clean = true, uint expiry = 0)
    {
        TestClient client = Join(version);
        client.Connect(id ?? $"client-{++_names}", clean, expiry);
        return client;
    }

    public TestClient PublishLink(string node, int link = 0, ulong highest = 0)
    {
        TestClient client = Join();
        client.Connect($"{node}-p{link}-{++_names}", tl: $"v1;kp;d{node};l{link};h{highest}");
        return client;
    }

    public TestClient ReceiveLink(string node, ulong highest = 0, int capacityBytes = 256 * 1024)
    {
        TestClient client = Join(capacityBytes: capacityBytes);
        client.Connect($"{node}-r-{++_names}", tl: $"v1;kr;d{node};l9;h{highest}");
        return client;
    }

    /// <summary>A receive link with filters (identifiers from 1), resumed.</summary>
    public TestClient Receiver(string node, string from, params string[] filters)
    {
        TestClient link = ReceiveLink(node, capacityBytes: LinkCapacityBytes);
        uint identifier = 0;
        foreach (string filter in filters)
        {
            link.Subscribe(filter, QoS.AtLeastOnce, identifier: ++identifier, retainHandling: RetainHandling.DoNotSend);
        }

        foreach (string share in filters.Where(filter => filter.StartsWith("$share/", StringComparison.Ordinal)))
        {
            link.Report(share, "members 1 1000 round-robin");
        }

        link.Request("$trunkline/resume", from);
        return link;
    }
}
