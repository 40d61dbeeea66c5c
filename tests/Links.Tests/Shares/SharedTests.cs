using Trunkline.Broker;
using Trunkline.Clauses;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;
using Xunit.Abstractions;

namespace Trunkline.Links.Tests.Shares;

/// <summary>Shared subscriptions through nodes and groups: members that come, go and do not answer; links that are cut; strategies.</summary>
public sealed class SharedTests(ITestOutputHelper output)
{
    private const string Share = "$share/g/s/#";

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void What_a_member_had_not_acknowledged_at_QoS_1_goes_to_another_and_at_QoS_2_only_what_was_not_sent(QoS qos)
    {
        var tier = new TestTier(nodes: 2);
        TestDevice publisher = tier.Connect("publisher");
        TestDevice mute = tier.Connect(new TestDevice("mute") { Answers = false, ReceiveMaximum = 5 });
        mute.Subscribe(Share, qos);
        tier.Run();
        PublishAll(tier, publisher, 20, qos);
        Assert.Equal(5, mute.Received.Count);
        TestDevice quick = tier.Connect("quick", 1);
        quick.Subscribe(Share, qos);
        tier.Advance(1_000);
        mute.Transport.Close(TransportClose.Abort);
        tier.Advance(1_000);
        string[] all = [.. Enumerable.Range(0, 20).Select(i => $"{i}")];
        string[] got = [.. quick.Received.Select(message => message.Payload)];
        Assert.Equal(
            qos == QoS.AtLeastOnce ? all : all.Except(mute.Received.Select(message => message.Payload)).ToArray(),
            got.Distinct().OrderBy(int.Parse));
        Assert.Equal(got.Length, got.Distinct().Count());
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-4.8.2-4")]
    public void A_QoS_2_message_that_was_sent_waits_for_its_session_and_the_share_waits_for_its_members()
    {
        var tier = new TestTier(nodes: 2, groups: 1);
        TestDevice publisher = tier.Connect("publisher");
        TestDevice member = tier.Connect(new TestDevice("member") { IsPersistent = true, Answers = false });
        member.Subscribe(Share, QoS.ExactlyOnce);
        tier.Run();
        PublishAll(tier, publisher, 3, QoS.ExactlyOnce);
        Assert.Equal(3, member.Received.Count);
        member.Transport.Close(TransportClose.Abort);
        tier.Advance(1_000);
        PublishAll(tier, publisher, 1_000, QoS.AtLeastOnce);
        TestDevice other = tier.Connect("other", 1);
        other.Subscribe(Share, QoS.ExactlyOnce);
        tier.Advance(2_000);
        Assert.Equal(1_000, other.Received.Count);
        TestDevice again = tier.Resume("member");
        tier.Advance(1_000);
        Assert.Equal(["0", "1", "2"], again.Received.Select(message => message.Payload));
        Assert.All(again.Received, message => Assert.True(message.Duplicate));
        tier.Advance(2_000);
        Assert.Equal(0, tier.Groups.Sum(group => group?.Counters.Read(BrokerCounter.ShareTakes) ?? 0));
    }

    [Fact]
    public void A_share_without_members_waits_in_the_log_and_is_read_as_they_take_it()
    {
        var tier = new TestTier(groups: 1);
        TestDevice publisher = tier.Connect("publisher");
        TestDevice member = tier.Resume("member");
        member.Subscribe(Share, QoS.AtLeastOnce);
        tier.Run();
        member.Transport.Close(TransportClose.Abort);
        tier.Advance(2_000);
        for (int i = 0; i < 100; i++)
        {
            PublishAll(tier, publisher, 50, QoS.AtLeastOnce, i * 50);
        }

        member = tier.Connect(new TestDevice("member") { IsPersistent = true, Answers = false });
        tier.Advance(1_000);
        Assert.Equal(64, member.Received.Count);
        member.AnswerAll();
        tier.Advance(2_000);
        Assert.Equal(Enumerable.Range(0, 5_000).Select(i => $"{i}"), member.Received.Select(message => message.Payload));
    }

    [Theory]
    [InlineData(41)]
    [InlineData(42)]
    [InlineData(43)]
    public void Cut_links_and_restless_members_lose_nothing_and_double_no_QoS_2(int seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var options = new LinkOptions { Seed = seed, BackoffMaximumMs = 500, GroupAwayTimeoutMs = 600_000 };
        var tier = new TestTier(nodes: 2, options: options, bytesUntilCut: () => random.Next(200, 9_000));
        tier.Advance(2_000);
        TestDevice publisher = tier.Connect("publisher");
        var devices = new List<TestDevice>();
        var members = new TestDevice[5];
        for (int i = 0; i < members.Length; i++)
        {
            members[i] = Member(i);
        }

        var sent = new List<(string Payload, QoS QoS)>();
        for (int round = 0; round < 400; round++)
        {
            QoS qos = random.Next(2) == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce;
            publisher.Publish($"s/{random.Next(4)}", $"{round:d5}", qos);
            sent.Add(($"{round:d5}", qos));
            if (random.Next(12) == 0)
            {
                // Even members have sessions of their node, which they come back to.
                int who = random.Next(members.Length);
                members[who].Transport.Close(TransportClose.Abort);
                tier.Advance(random.Next(100));
                members[who] = Member(who);
            }

            tier.Advance(random.Next(1, 120));
        }

        foreach (TestNode node in tier.Nodes)
        {
            Array.ForEach(node.Connectors, connector => connector.MayCut = false);
        }

        Array.ForEach(tier.Acceptors, acceptor => acceptor.Cutter.MayCut = false);
        tier.Advance(30_000);
        Assert.Equal(400, publisher.Acknowledged.Count);
        var got = devices.SelectMany(device => device.Received).GroupBy(message => message.Payload).ToDictionary(group => group.Key, group => group.ToArray());
        string[] lost = [.. sent.Where(message => !got.ContainsKey(message.Payload)).Select(message => $"{message.Payload} {message.QoS}")];
        Assert.True(lost.Length == 0, $"seed {seed}: lost {string.Join(", ", lost)}");
        string[] doubled = [.. sent.Where(message => message.QoS == QoS.ExactlyOnce && got[message.Payload].Length > 1).Select(message => message.Payload)];
        Assert.True(doubled.Length == 0, $"seed {seed}: twice {string.Join(", ", doubled)}");
        output.WriteLine($"{tier.Nodes.Sum(node => node.Count(LinkCounter.LinksLost))} links lost, {got.Values.Sum(copies => copies.Length - 1)} repeats at QoS 1");

        TestDevice Member(int number)
        {
            bool isPersistent = number % 2 == 0;
            TestDevice before = members[number];
            var device = new TestDevice($"member-{number}")
            {
                IsPersistent = isPersistent,
                Exchanges = isPersistent ? before?.Exchanges ?? [] : [],
            };
            tier.Connect(device, number % 2);
            devices.Add(device);
            if (!device.SessionPresent)
            {
                device.Subscribe(Share, QoS.ExactlyOnce);
            }

            return device;
        }
    }

    [Theory]
    [InlineData(SharedStrategy.HashTopic)]
    [InlineData(SharedStrategy.HashClient)]
    public void Hashes_keep_to_one_member_and_move_few_keys_when_one_comes(SharedStrategy strategy)
    {
        var tier = new TestTier(nodes: 2, mqtt: Options(strategy));
        TestDevice[] publishers = [.. Enumerable.Range(0, 40).Select(i => tier.Connect($"publisher-{i}"))];
        List<TestDevice> members = [.. Enumerable.Range(0, 6).Select(i => Member(tier, i))];
        Dictionary<string, string> before = Map("first");
        Assert.Equal(before, Map("second"));
        Assert.True(before.Values.Distinct().Count() >= 4, "the keys are spread");
        members.Add(Member(tier, 6));
        Dictionary<string, string> after = Map("third");
        int moved = before.Count(key => after[key.Key] != key.Value);
        Assert.InRange(moved, 0, 20);
        Assert.All(before.Where(key => after[key.Key] != key.Value && after[key.Key] != "member-6"), key => Assert.Equal("member", key.Value[..6]));

        Dictionary<string, string> Map(string word)
        {
            for (int i = 0; i < publishers.Length; i++)
            {
                publishers[i].Publish(strategy == SharedStrategy.HashTopic ? $"s/{i}" : "s/all", $"{word}-{i}", QoS.AtLeastOnce);
            }

            tier.Run();
            return members.SelectMany(member => member.Received.Select(message => (member.ClientId, message.Payload)))
                .Where(got => got.Payload.StartsWith(word, StringComparison.Ordinal))
                .ToDictionary(got => got.Payload[(word.Length + 1)..], got => got.ClientId);
        }
    }

    [Fact]
    public void Sticky_keeps_to_one_member_until_it_goes()
    {
        var tier = new TestTier(nodes: 2, mqtt: Options(SharedStrategy.Sticky));
        TestDevice publisher = tier.Connect("publisher");
        List<TestDevice> members = [.. Enumerable.Range(0, 4).Select(i => Member(tier, i))];
        PublishAll(tier, publisher, 30, QoS.AtLeastOnce);
        TestDevice stuck = Assert.Single(members, member => member.Received.Count > 0);
        Assert.Equal(30, stuck.Received.Count);
        stuck.Transport.Close(TransportClose.Abort);
        tier.Advance(1_000);
        PublishAll(tier, publisher, 30, QoS.AtLeastOnce, 30);
        Assert.Equal(30, Assert.Single(members, member => member != stuck && member.Received.Count > 0).Received.Count);
    }

    [Theory]
    [InlineData(SharedStrategy.LeastInFlight)]
    [InlineData(SharedStrategy.Random)]
    [InlineData(SharedStrategy.RoundRobin)]
    public void A_member_that_does_not_acknowledge_gets_no_more_than_its_share(SharedStrategy strategy)
    {
        var tier = new TestTier(nodes: 2, mqtt: Options(strategy));
        TestDevice publisher = tier.Connect("publisher");
        TestDevice mute = tier.Connect(new TestDevice("mute") { Answers = false });
        mute.Subscribe(Share, QoS.AtLeastOnce);
        List<TestDevice> members = [.. Enumerable.Range(0, 3).Select(i => Member(tier, i))];
        for (int i = 0; i < 30; i++)
        {
            PublishAll(tier, publisher, 20, QoS.AtLeastOnce, i * 20);
        }

        Assert.InRange(mute.Received.Count, 1, 64);
        Assert.Equal(600, mute.Received.Count + members.Sum(member => member.Received.Count));
        Assert.All(members, member => Assert.True(member.Received.Count > 60, $"{member.ClientId} got {member.Received.Count}"));
    }

    [Theory]
    [InlineData("jobs=hash-topic, log-*=sticky", "jobs", SharedStrategy.HashTopic)]
    [InlineData("jobs=hash-topic, log-*=sticky", "log-1", SharedStrategy.Sticky)]
    [InlineData("jobs=hash-topic, log-*=sticky", "job", SharedStrategy.LeastInFlight)]
    [InlineData("", "x", SharedStrategy.LeastInFlight)]
    public void A_name_may_have_a_strategy_of_its_own(string rules, string name, SharedStrategy expected) =>
        Assert.Equal(expected, SharedStrategies.TryParse(rules, SharedStrategy.LeastInFlight)!.Of(System.Text.Encoding.UTF8.GetBytes(name)));

    [Theory]
    [InlineData("jobs")]
    [InlineData("jobs=whim")]
    [InlineData("=sticky")]
    public void Malformed_rules_are_named_at_start(string rules) =>
        Assert.Contains(new MqttOptions { SharedStrategies = rules }.Validate("Mqtt"), error => error.StartsWith("Mqtt:SharedStrategies", StringComparison.Ordinal));

    private static MqttOptions Options(SharedStrategy strategy) =>
        new() { MaximumSubscriptions = 1_000_000, ReceiveMaximum = 65_535, SharedStrategy = strategy };

    private static TestDevice Member(TestTier tier, int number)
    {
        TestDevice member = tier.Connect($"member-{number}", number % 2);
        member.Subscribe(Share, QoS.AtLeastOnce);
        tier.Run();
        return member;
    }

    private static void PublishAll(TestTier tier, TestDevice publisher, int count, QoS qos, int from = 0)
    {
        for (int i = from; i < from + count; i++)
        {
            publisher.Publish($"s/{i % 3}", $"{i}", qos);
        }

        tier.Run();
    }
}
