using System.Buffers;
using BenchmarkDotNet.Attributes;
using Trunkline.Protocol;

namespace Trunkline.Benchmarks;

/// <summary>
/// A message from a publisher to its subscribers, per delivered message, without sockets and threads. Session: through one
/// broker's sessions. Tier: through a proxy's session, its publish link, the broker, the receive link, dispatch and session.
/// </summary>
public class MessageBenchmarks
{
    /// <summary>Messages of a turn: as many as a busy loop finds.</summary>
    private const int Burst = 100;

    private MemoryTier _session = null!;
    private MemoryTier _tier = null!;
    private byte[] _frames = [];

    [Params(QoS.AtMostOnce, QoS.AtLeastOnce)]
    public QoS QoS { get; set; }

    [Params(1, 100)]
    public int Subscribers { get; set; }

    [GlobalSetup]
    public async Task StartAsync()
    {
        _session = await MakeAsync(withLinks: false);
        _tier = await MakeAsync(withLinks: true);
        var output = new ArrayBufferWriter<byte>();
        for (int i = 0; i < Burst / Subscribers; i++)
        {
            ushort id = (ushort)(QoS == QoS.AtMostOnce ? 0 : i + 1);
            new PublishEncoder { Version = ProtocolVersion.Mqtt311, Topic = "sites/17/device/state"u8, Payload = new byte[64], QoS = QoS, PacketId = id }.Write(output);
        }

        _frames = output.WrittenSpan.ToArray();
    }

    [Benchmark(OperationsPerInvoke = Burst)]
    public long Session() => Send(_session);

    [Benchmark(OperationsPerInvoke = Burst)]
    public long Tier() => Send(_tier);

    // What is not delivered is not measured.
    private long Send(MemoryTier tier)
    {
        long before = tier.Received;
        tier.Publisher.Publish(_frames);
        tier.Run();
        long delivered = tier.Received - before;
        return delivered == Burst ? delivered : throw new InvalidOperationException($"{delivered} of {Burst} messages were delivered.");
    }

    private async Task<MemoryTier> MakeAsync(bool withLinks)
    {
        var tier = new MemoryTier(withLinks);
        await tier.Started.WaitAsync(TimeSpan.FromSeconds(10));
        tier.Subscribe(Subscribers, "sites/+/device/state", QoS);
        return tier;
    }
}
