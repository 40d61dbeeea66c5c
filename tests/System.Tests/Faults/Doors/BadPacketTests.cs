using System.Net;
using Trunkline.Protocol;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>Rows 26 to 30: whatever a device sends, it gets the named answer, the rest of the tier notices nothing.</summary>
[Collection("doors")]
public sealed class BadPacketTests(DoorTier door, ITestOutputHelper output)
{
    private const int Seed = 20_263;

    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, BadPacket.All.Count)];

    [Theory]
    [MemberData(nameof(Numbers))]
    public async Task A_bad_packet_gets_the_named_answer_and_nothing_behind_it_is_forwarded(int number)
    {
        BadPacket bad = BadPacket.All[number];
        output.WriteLine(bad.Name);
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(door.Proxy.Mqtt, $"beside-{number}");
        IPAddress from = IPAddress.Parse($"127.0.2.{number + 1}");
        double closed = await ClosedAsync();

        byte[] answer = await ExchangeAsync(bad.Bytes, ProtocolVersion.Mqtt50, $"bad-{number}", from);
        FrameStatus status = FrameReader.TryRead(answer, 0, ProtocolVersion.Mqtt50, out Frame frame, out _);
        Assert.Equal(FrameStatus.Complete, status);
        Assert.True(DisconnectPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out DisconnectPacket packet, out _));
        Assert.Equal(bad.Code, packet.ReasonCode);
        Assert.Equal(answer.Length, frame.TotalLength);
        await door.LogsAsync($"Connection of bad-{number} from {from}:", bad.Code.ToString());
        Assert.True(await ClosedAsync() > closed);

        if (bad.Bytes311 is not null)
        {
            Assert.Empty(await ExchangeAsync(bad.Bytes311, ProtocolVersion.Mqtt311, $"bad-{number}-311", from));
            await door.LogsAsync($"Connection of bad-{number}-311 from {from}:", bad.Code.ToString());
        }

        await healthy.AssertUndisturbedAsync();

        async Task<double> ClosedAsync() =>
            await door.MetricAsync("trunkline_disconnects_total", "protocol_error")
            + await door.MetricAsync("trunkline_disconnects_total", "limit_exceeded");
    }

    [Fact]
    public async Task What_is_refused_but_not_malformed_leaves_the_device_connected()
    {
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(door.Proxy.Mqtt, "refused");
        await using FaultDevice device = await FaultDevice.ConnectAsync(door.Proxy.Mqtt, new DeviceOptions { ClientId = "refused" });
        double before = await door.MetricAsync("trunkline_publishes_refused_total");
        Assert.Equal(ReasonCode.NotAuthorized, await device.PublishAsync("$SYS/broker/uptime", "mine"));
        Assert.Equal(ReasonCode.NotAuthorized, await device.PublishAsync("$trunkline/resume", "tail", QoS.ExactlyOnce));
        Assert.Equal(before + 2, await door.MetricAsync("trunkline_publishes_refused_total"));

        // Depth: at the limit of 128 levels yes, beyond it no; the same for wildcards, whose limit bounds what a match costs.
        double refused = await door.MetricAsync("trunkline_subscriptions_refused_total");
        Assert.Equal(ReasonCode.TopicFilterInvalid, await device.SubscribeAsync(new string('/', 65_535), QoS.AtLeastOnce));
        Assert.Equal(ReasonCode.TopicFilterInvalid, await device.SubscribeAsync("deep" + new string('/', 128), QoS.AtLeastOnce));
        Assert.Equal(ReasonCode.GrantedQoS1, await device.SubscribeAsync("deep" + new string('/', 127), QoS.AtLeastOnce));
        Assert.Equal(ReasonCode.TopicFilterInvalid, await device.SubscribeAsync("+/+/+/+/+/+/+/+/+", QoS.AtLeastOnce));
        Assert.Equal(ReasonCode.GrantedQoS1, await device.SubscribeAsync("refused/+/+/+/+/+/+/+/+", QoS.AtLeastOnce));
        Assert.Equal(refused + 3, await door.MetricAsync("trunkline_subscriptions_refused_total"));
        Assert.Equal(ReasonCode.NotAuthorized, await device.SubscribeAsync("$trunkline/#", QoS.AtLeastOnce));
        await device.PingAsync();
        Assert.True(device.IsConnected);
        await healthy.AssertUndisturbedAsync();
    }

    [Fact]
    public async Task Seeded_mutations_break_nothing()
    {
        output.WriteLine($"seed {Seed}");
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(door.Proxy.Mqtt, "mutations");
        double faults = await door.MetricAsync("trunkline_loop_faults_total");
        PacketMutations mutations = new(Seed);
        for (int round = 0; round < 40; round++)
        {
            byte[][] batch = [.. Enumerable.Range(0, 50).Select(_ => mutations.Next())];
            await Task.WhenAll(batch.Select((bytes, n) => ThrowAsync(bytes, IPAddress.Parse($"127.0.3.{n + 1}"))));
        }

        Assert.Equal(faults, await door.MetricAsync("trunkline_loop_faults_total"));
        await healthy.AssertServedAsync();
    }

    [Fact]
    public async Task A_hundred_thousand_bad_connections_leave_no_memory_behind()
    {
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(door.Proxy.Mqtt, "repeated");
        await RepeatAsync(10_000);
        await AssertFlatAsync(() => RepeatAsync(100_000));
        await healthy.AssertUndisturbedAsync();
    }

    [Fact]
    public async Task A_hundred_thousand_refused_CONNECTs_with_a_will_leave_no_memory_behind()
    {
        // A will whose topic is no topic name: refused, and the will goes nowhere.
        byte[] connect = BadPacket.ConnectWithWill("#");
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(door.Proxy.Mqtt, "unwilling");
        await RepeatAsync(10_000);
        await AssertFlatAsync(() => RepeatAsync(100_000));
        await healthy.AssertUndisturbedAsync();

        Task RepeatAsync(int count) => EachAsync(count, async (_, _) =>
        {
            using RawConnection connection = await RawConnection.OpenAsync(door.Proxy.Mqtt, IPAddress.Parse("127.0.4.2"));
            await connection.SendAsync(connect);
            await connection.ReadToEndAsync();
        });
    }

    [Fact]
    public async Task A_hundred_thousand_refusals_of_a_device_that_stays_leave_no_memory_behind()
    {
        // PUBREL, PUBREC, PUBACK and PUBCOMP of identifiers that nobody uses, and filters that are refused.
        byte[] round =
        [
            0x62, 2, 0x7F, 0x01, 0x50, 2, 0x7F, 0x02, 0x40, 2, 0x7F, 0x03, 0x70, 2, 0x7F, 0x04,
            .. Packets.Subscribe(ProtocolVersion.Mqtt50, "+/+/+/+/+/+/+/+/+", QoS.ExactlyOnce, 0x7F05),
        ];
        byte[] hundred = [.. Enumerable.Repeat(round, 100).SelectMany(bytes => bytes)];
        await using HealthyPair healthy = await HealthyPair.ConnectAsync(door.Proxy.Mqtt, "stubborn");
        using RawConnection connection = await RawConnection.OpenAsync(door.Proxy.Mqtt, IPAddress.Parse("127.0.4.3"));
        await connection.SendAsync(Packets.Connect(new DeviceOptions { ClientId = "stubborn" }));
        byte[] connAck = await connection.ReadAsync(2);
        await connection.ReadAsync(connAck[1]);
        await RepeatAsync(10_000);
        await AssertFlatAsync(() => RepeatAsync(100_000));
        await healthy.AssertUndisturbedAsync();

        // Answered: PUBCOMP 0x92, PUBREL 0x92, SUBACK 0x8F; the others are ignored. All are as long each time.
        async Task RepeatAsync(int count)
        {
            for (int n = 0; n < count; n += 100)
            {
                await connection.SendAsync(hundred);
                byte[] answers = await connection.ReadAsync(100 * (5 + 5 + 6));
                Assert.Equal(1600, answers.Length);
                Assert.Equal(answers[..16], answers[^16..]);
            }
        }
    }

    /// <summary>What leaves as little as 250 bytes behind each time shows in 100,000; the collector's own play is less.</summary>
    private async Task AssertFlatAsync(Func<Task> repeat)
    {
        long before = ManagementClient.ResidentBytes(door.Pid);
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        await repeat();
        long grown = ManagementClient.ResidentBytes(door.Pid) - before;
        output.WriteLine($"RSS {before >> 10} KiB, grown by {grown >> 10} KiB in {System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        Assert.True(grown < 24 << 20, $"RSS has grown by {grown >> 10} KiB");
    }

    private Task RepeatAsync(int count)
    {
        BadPacket[] small = [.. BadPacket.All.Where(bad => bad.Bytes.Length <= 1000)];
        return EachAsync(count, (worker, number) => ExchangeAsync(
            small[number % small.Length].Bytes, ProtocolVersion.Mqtt50, $"repeated-{worker}", IPAddress.Parse("127.0.4.1")));
    }

    /// <summary>So many times, sixteen at a time.</summary>
    private static async Task EachAsync(int count, Func<int, int, Task> act)
    {
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async worker =>
        {
            while (Interlocked.Increment(ref next) is int number && number < count)
            {
                await act(worker, number);
            }
        }));
    }

    /// <summary>Connects, sends the bad packet with a good PUBLISH behind it, and returns what came after CONNACK.</summary>
    private async Task<byte[]> ExchangeAsync(byte[] bad, ProtocolVersion version, string clientId, IPAddress from)
    {
        using RawConnection connection = await RawConnection.OpenAsync(door.Proxy.Mqtt, from);
        await connection.SendAsync(Packets.Connect(new DeviceOptions { ClientId = clientId, Version = version }));
        byte[] connAck = await connection.ReadAsync(2);
        connAck = [.. connAck, .. await connection.ReadAsync(connAck[1])];
        Assert.Equal(0x20, connAck[0]);
        Assert.Equal(0, connAck[3]);
        await connection.SendAsync((byte[])[.. bad, .. Packets.Publish(version, "leaked", "x"u8, QoS.AtMostOnce, 0)]);
        return await connection.ReadToEndAsync();
    }

    private async Task ThrowAsync(byte[] bytes, IPAddress from)
    {
        using RawConnection connection = await RawConnection.OpenAsync(door.Proxy.Mqtt, from);
        await connection.SendAsync(Packets.Connect(new DeviceOptions { ClientId = $"mutant-{from}" }));
        await connection.SendAsync(bytes);
        connection.EndSending();
        await connection.ReadToEndAsync();
    }
}
