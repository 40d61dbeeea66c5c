using System.Text;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;
using Xunit.Abstractions;

namespace Trunkline.Links.Tests.Backlog;

/// <summary>
/// Random histories of devices that stall, leave and come back, links that are cut (with each new connection the broker's
/// term rises) and loops that pause, against what was acknowledged. A failure prints its seed.
/// </summary>
public sealed class BacklogHistoryTests(ITestOutputHelper output)
{
    private const int Steps = 250;
    private static readonly string[] Topics = ["a/0", "a/1", "b/0", "b/1", "c"];
    private static readonly string[][] Filters = [["#"], ["a/+", "+/1"], ["a/1"], ["b/#", "b/0", "c"], ["c", "a/#", "#"]];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_acknowledged_message_comes_once_at_qos_2_and_in_order(int seed)
    {
        output.WriteLine($"seed {seed}");
        new History(seed, output).Run();
    }

    private sealed class Client(string name, QoS qos, string[] filters)
    {
        public string Name { get; } = name;

        public QoS QoS { get; } = qos;

        public string[] Filters { get; } = filters;

        public HashSet<ushort> Exchanges { get; } = [];

        public List<Got> Got { get; } = [];

        public TestDevice? Device { get; set; }
    }

    private sealed class History
    {
        private readonly Random _random;
        private readonly ITestOutputHelper _output;
        private readonly TestTier _tier;
        private readonly List<Client> _clients = [];
        private readonly TestDevice[] _publishers;
        private readonly List<(string Topic, string Payload)> _sent = [];

        public History(int seed, ITestOutputHelper output)
        {
            _random = new Random(seed);
            _output = output;
            var mqtt = new MqttOptions
            {
                ReceiveMaximum = 65_535,
                MaximumInFlight = _random.Next(1, 10),
                LiveQueueMessages = _random.Next(1, 12),
            };
            var options = new LinkOptions
            {
                Seed = seed,
                BackoffMaximumMs = 500,
                GroupAwayTimeoutMs = 600_000,
                BacklogPageBytes = _random.Next(2) == 0 ? 1024 : 16_384,
                BacklogScans = _random.Next(1, 4),
                BacklogSessionsPerScan = _random.Next(1, 6),
                BacklogNearMessages = _random.Next(0, 60),
                BacklogDeliveriesPerTurn = _random.Next(1, 30),
                BacklogFilters = _random.Next(3, 8),
            };
            _tier = new TestTier(options: options, mqtt: mqtt);
            _publishers = [_tier.Connect("p0"), _tier.Connect("p1")];
            for (int i = 0; i < 8; i++)
            {
                var client = new Client($"d{i}", (QoS)(1 + (i % 2)), Filters[i % Filters.Length]);
                _clients.Add(client);
                Connect(client);
                foreach (string filter in client.Filters)
                {
                    client.Device!.Subscribe(filter, client.QoS);
                }
            }

            _tier.Advance(1_000);
        }

        public void Run()
        {
            for (int i = 0; i < Steps; i++)
            {
                Step(_clients[_random.Next(_clients.Count)]);
                Assert.All(_tier.Nodes[0].Contexts, CheckBounds);
            }

            Finish();
            _output.WriteLine($"{_sent.Count} sent, {_tier.Nodes[0].Count(LinkCounter.BacklogScans)} pages, {Count(SessionCounter.BacklogDelivered)} from the log, {Count(SessionCounter.LeftLive)} left live, {_tier.Nodes[0].Count(LinkCounter.LinksLost)} links lost");
            Assert.All(_publishers, publisher => Assert.Equal(_sent.Count(message => message.Payload.StartsWith(publisher.ClientId, StringComparison.Ordinal)), publisher.Acknowledged.Count));
            _clients.ForEach(Check);
            Assert.Equal(0, _tier.Nodes[0].Contexts.Sum(context => context.Messages.Rented));
            Assert.Equal(0, _tier.Nodes[0].Contexts.Sum(context => context.Undone.Count));
        }

        private long Count(SessionCounter counter) => _tier.Nodes[0].Contexts.Sum(context => context.Counters.Read(counter));

        private void Step(Client client)
        {
            int dice = _random.Next(100);
            if (dice < 45)
            {
                Publish(_random.Next(1, 12));
            }
            else if (dice < 55 && client.Device is { } leaving)
            {
                client.Device = null;
                leaving.Transport.Close(TransportClose.Abort);
                client.Got.AddRange(leaving.Received);
            }
            else if (dice < 70 && client.Device is null)
            {
                Connect(client);
            }
            else if (dice < 75 && client.Device is { } stalling)
            {
                stalling.Answers = false;
            }
            else if (dice < 85 && client.Device is { } slow)
            {
                slow.AnswerAll(_random.Next(3) == 0 ? int.MaxValue : _random.Next(1, 20));
            }
            else if (dice < 89)
            {
                _tier.Nodes[0].Connectors[_random.Next(2)].CutAll();
            }
            else if (dice < 93)
            {
                _tier.Pause(0, _random.Next(2), _random.Next(2) == 0);
            }

            switch (_random.Next(3))
            {
                case 0:
                    _tier.Run();
                    break;
                case 1:
                    _tier.RunTurns(_random.Next(1, 4));
                    break;
                default:
                    _tier.Advance(_random.Next(1, 300));
                    break;
            }
        }

        private void Publish(int count)
        {
            for (int i = 0; i < count; i++)
            {
                TestDevice publisher = _publishers[_random.Next(_publishers.Length)];
                string topic = Topics[_random.Next(Topics.Length)];
                string payload = $"{publisher.ClientId}:{_sent.Count:D5}";
                publisher.Publish(topic, payload, QoS.ExactlyOnce);
                _sent.Add((topic, payload));
            }
        }

        private void Connect(Client client)
        {
            client.Device = new TestDevice(client.Name) { IsPersistent = true, Exchanges = client.Exchanges, ReceiveMaximum = _random.Next(1, 20) };
            _tier.ConnectAll([client.Device]);
        }

        /// <summary>What is in flight and in the live queue, at most, whatever the backlog.</summary>
        private void CheckBounds(SessionContext context)
        {
            MqttOptions options = context.Options;
            long limit = context.Registry.Count * (options.MaximumInFlight + options.LiveQueueMessages);
            Assert.All(context.Registry.All, session => Assert.InRange(session.Waiting, 0, options.LiveQueueMessages));
            Assert.InRange(context.Registry.All.Sum(session => (long)session.Waiting + session.InFlight), 0, limit);
        }

        private void Finish()
        {
            _tier.Pause(0, 0, false);
            _tier.Pause(0, 1, false);
            foreach (Client client in _clients)
            {
                _tier.Advance(300);
                if (client.Device is { IsClosed: true } closed)
                {
                    // A loop that paused for longer than the CONNECT deadline.
                    client.Got.AddRange(closed.Received);
                    client.Device = null;
                }

                if (client.Device is null)
                {
                    Connect(client);
                }

                client.Device!.AnswerAll();
            }

            _tier.Advance(20_000);
            _clients.ForEach(client => client.Got.AddRange(client.Device!.Received));
        }

        private void Check(Client client)
        {
            Assert.False(client.Device!.IsClosed, string.Join(", ", client.Device.Trace.TakeLast(2)));
            List<string> expected = [.. _sent
                .Where(message => client.Filters.Any(filter => TopicMatcher.Matches(Encoding.UTF8.GetBytes(filter), Encoding.UTF8.GetBytes(message.Topic))))
                .Select(message => message.Payload)];
            List<string> got = [.. client.Got.Select(message => message.Payload)];
            Assert.Empty(expected.Except(got));
            if (client.QoS == QoS.ExactlyOnce)
            {
                Assert.Equal(expected.Count, got.Count);
            }

            foreach (var stream in client.Got.DistinctBy(message => message.Payload).GroupBy(message => (message.Topic, message.Payload[..2])))
            {
                Assert.Equal(stream.Select(message => message.Payload).Order(), stream.Select(message => message.Payload));
            }
        }
    }
}
