using System.Buffers;
using Xunit.Abstractions;

namespace Trunkline.Sessions.Tests.Costs;

/// <summary>What is held is read from the whole process, in which other tests allocate, so this runs alone.</summary>
[CollectionDefinition(nameof(MeasuredAlone), DisableParallelization = true)]
public sealed class MeasuredAlone;

/// <summary>What a message allocates and what an idle device holds, measured after warming up.</summary>
[Collection(nameof(MeasuredAlone))]
public sealed class AllocationTests(ITestOutputHelper output)
{
    private const int Messages = 2_000;

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311, 1)]
    [InlineData(ProtocolVersion.Mqtt50, 1)]
    [InlineData(ProtocolVersion.Mqtt50, 10)]
    public void QoS_0_allocates_nothing(ProtocolVersion version, int subscribers)
    {
        Pair pair = Warm(version, subscribers);
        byte[] frame = Wire.Publish(version, "a/b", "a payload of some length", new PublishSettings());
        Assert.Equal(0, Allocations.Least(() => pair.Run(frame, Messages)));
    }

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311)]
    [InlineData(ProtocolVersion.Mqtt50)]
    public void QoS_1_allocates_little(ProtocolVersion version)
    {
        Pair pair = Warm(version, 1);
        byte[] frame = Wire.Publish(version, "a/b", "a payload of some length", new PublishSettings { QoS = QoS.AtLeastOnce, Id = 1 });
        double perMessage = Allocations.Least(() => pair.RunAcknowledged(frame, Messages)) / (double)Messages;
        output.WriteLine($"{version} QoS 1: {perMessage:F1} B per message in and out");
        Assert.InRange(perMessage, 0, 100);
        Assert.Equal(0, pair.Bed.Context.Messages.Rented);
    }

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311)]
    [InlineData(ProtocolVersion.Mqtt50)]
    public void An_idle_device_is_small(ProtocolVersion version)
    {
        const int devices = 10_000;
        var bed = new TestBed(new Setup(version, Feed.Whole));
        bed.Router.Records = false;
        var host = new IdleHost();
        var channels = new Channel[devices];
        List<byte[]> connects = [.. Enumerable.Range(0, devices).Select(i => Connect(version, $"device-{i:D12}"))];
        List<byte[]> subscribes = [.. Enumerable.Range(0, devices).Select(i => Subscribe(version, $"devices/device-{i:D12}/in"))];
        Open(bed, host, channels, connects, subscribes, 0, 200);
        long before = GC.GetAllocatedBytesForCurrentThread();
        long heldBefore = GC.GetTotalMemory(forceFullCollection: true);
        Open(bed, host, channels, connects, subscribes, 200, devices);
        long held = GC.GetTotalMemory(forceFullCollection: true) - heldBefore;
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        double perDevice = held / (double)(devices - 200);
        output.WriteLine($"{version}: {perDevice:F0} B held, {allocated / (devices - 200)} B allocated per idle device with one subscription");
        GC.KeepAlive(channels);
        GC.KeepAlive(bed);
        GC.KeepAlive(connects);
        GC.KeepAlive(subscribes);
        Assert.Equal(devices, bed.Context.Registry.Count);
        Assert.InRange(perDevice, 1, 650);
    }

    private static void Open(TestBed bed, IdleHost host, Channel[] channels, List<byte[]> connects, List<byte[]> subscribes, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            var channel = new Channel(bed.Context, host, 10_000);
            channels[i] = channel;
            host.Channel = channel;
            channel.Receive(connects[i]);
            channel.Receive(subscribes[i]);
            host.Buffer.ResetWrittenCount();
        }
    }

    private static byte[] Connect(ProtocolVersion version, string clientId)
    {
        byte[] properties = version == ProtocolVersion.Mqtt50 ? [0] : [];
        return Wire.Frame(0x10, [.. Wire.Text("MQTT"), (byte)version, 2, 0, 60, .. properties, .. Wire.Text(clientId)]);
    }

    private static byte[] Subscribe(ProtocolVersion version, string filter)
    {
        byte[] properties = version == ProtocolVersion.Mqtt50 ? [0] : [];
        return Wire.Frame(0x82, [0, 1, .. properties, .. Wire.Text(filter), 1]);
    }

    private static Pair Warm(ProtocolVersion version, int subscribers)
    {
        var bed = new TestBed(new Setup(version, Feed.Whole));
        var pair = new Pair(bed, new Channel(bed.Context, new IdleHost(), 10_000), []);
        Attach(pair.Publisher, version, "publisher");
        for (int i = 0; i < subscribers; i++)
        {
            var channel = new Channel(bed.Context, new IdleHost(), 10_000);
            Attach(channel, version, $"subscriber{i}");
            channel.Receive(Subscribe(version, "a/+"));
            pair.Subscribers.Add(channel);
        }

        bed.Router.Records = false;
        return pair;
    }

    private static void Attach(Channel channel, ProtocolVersion version, string clientId)
    {
        ((IdleHost)channel.Host).Channel = channel;
        channel.Receive(Connect(version, clientId));
    }

    private sealed record Pair(TestBed Bed, Channel Publisher, List<Channel> Subscribers)
    {
        public void Run(byte[] frame, int count)
        {
            for (int i = 0; i < count; i++)
            {
                Publisher.Receive(frame);
                Clear();
            }
        }

        public void RunAcknowledged(byte[] frame, int count)
        {
            Span<byte> ack = [0x40, 2, 0, 0];
            for (int i = 0; i < count; i++)
            {
                Publisher.Receive(frame);
                ReadOnlySpan<byte> sent = ((IdleHost)Subscribers[0].Host).Buffer.WrittenSpan;
                int id = sent.IndexOf("a/b"u8) + 3;
                ack[2] = sent[id];
                ack[3] = sent[id + 1];
                Clear();
                Subscribers[0].Receive(ack);
            }
        }

        private void Clear()
        {
            ((IdleHost)Publisher.Host).Buffer.ResetWrittenCount();
            foreach (Channel subscriber in Subscribers)
            {
                ((IdleHost)subscriber.Host).Buffer.ResetWrittenCount();
            }
        }
    }

    /// <summary>A host that costs nothing itself.</summary>
    private sealed class IdleHost : IChannelHost
    {
        public ArrayBufferWriter<byte> Buffer { get; } = new(4096);

        public Channel? Channel { get; set; }

        public IBufferWriter<byte> Output => Buffer;

        public bool IsCongested => false;

        public void BeginConnect(ConnectRequest request) => Channel!.Open();

        public bool BelongsHere(ReadOnlySpan<byte> clientId) => true;

        public void MoveToOwner(string clientId)
        {
        }

        public void PauseReading()
        {
        }

        public void ResumeReading()
        {
        }

        public void MarkPermitted(long sinceMs)
        {
        }

        public void SendWithheld(long sinceMs)
        {
        }

        public void DropPermitted()
        {
        }

        public void Close(in ChannelClose close) => Assert.Fail(close.ToString());
    }
}
