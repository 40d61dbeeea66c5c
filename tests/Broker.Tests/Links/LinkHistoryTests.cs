using Trunkline.Broker.Tests.Support;
using Trunkline.Sessions;

namespace Trunkline.Broker.Tests.Links;

/// <summary>
/// Random histories of links that break, resume, stop reading and send again, against a plain list of what was
/// published: each node sees every logged message of its filters once and in order, each share gives it to one node.
/// </summary>
public sealed class LinkHistoryTests
{
    private static readonly string[][] Filters = [["a/#", "b/1"], ["#"], ["+/1", "a/2"]];
    private static readonly string[] Topics = ["a/1", "a/2", "b/1", "b/2", "c/1"];

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    public void Every_node_sees_every_message_once_and_in_order(int seed)
    {
        var history = new History(seed);
        for (int step = 0; step < 3_000; step++)
        {
            history.Step();
        }

        history.Finish();
    }

    private sealed class Node(string name, int filters)
    {
        public string Name { get; } = name;

        public string[] Filters { get; } = [.. LinkHistoryTests.Filters[filters], "$share/s/#"];

        public TestClient? Link { get; set; }

        public bool IsPaused { get; set; }

        public LogPosition Seen { get; set; } = new(100, 0);

        public List<Received> Got { get; } = [];
    }

    private sealed class History
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly TestBroker _broker = new(
            new BrokerOptions { ReadAheadRecords = 50, NodeGoneMs = 86_400_000, LogBlockBytes = 16 * 1024 })
        {
            LinkCapacityBytes = 4096,
        };
        private readonly Node[] _nodes = [new("x", 0), new("y", 1), new("z", 2)];
        private readonly List<(string Topic, string Payload)> _published = [];
        private TestClient _publisher;
        private ulong _number;

        public History(int seed)
        {
            _seed = seed;
            _random = new Random(seed);
            _publisher = _broker.PublishLink("p");
            foreach (Node node in _nodes)
            {
                Open(node);
            }
        }

        public void Step()
        {
            Node node = _nodes[_random.Next(_nodes.Length)];
            switch (_random.Next(40))
            {
                case 0:
                    _publisher.Break();
                    _publisher = _broker.PublishLink("p", highest: _random.Next(2) == 0 ? 0 : _broker.Tail.Term);
                    break;
                case 1 when node.Link is not null:
                    Close(node);
                    break;
                case 2 when node.Link is null:
                    Open(node);
                    break;
                case 3 when node.Link is not null && !node.IsPaused:
                    node.Link.Pause();
                    node.IsPaused = true;
                    break;
                case 4 when node.IsPaused:
                    node.Link!.Resume();
                    node.IsPaused = false;
                    break;
                case 5:
                    _broker.Advance(_random.Next(700));
                    break;
                default:
                    Publish();
                    break;
            }
        }

        public void Finish()
        {
            foreach (Node node in _nodes)
            {
                if (node.Link is not null)
                {
                    Close(node);
                }

                Open(node);
            }

            _broker.Advance(2_000);
            foreach (Node node in _nodes)
            {
                Assert.Equal($"p{_broker.Tail}", node.Link!.Tails[^1].Payload);
                Close(node);
                Received[] plain = [.. node.Got.Where(message => message.Identifiers.Any(identifier => identifier < node.Filters.Length))];
                Assert.True(
                    plain.Select(message => message.Payload).SequenceEqual(
                        _published.Where(message => Matches(node, message.Topic)).Select(message => message.Payload)),
                    $"seed {_seed}, node {node.Name}");
            }

            string[] shared = [.. _nodes.SelectMany(node => node.Got.Where(message => message.Identifiers.Contains((uint)node.Filters.Length)))
                .Select(message => message.Payload)];
            Assert.True(shared.Length == shared.Distinct().Count(), $"seed {_seed}: a share gave a message twice");
            Assert.True(_broker.Count(BrokerCounter.Duplicates) > 0 && _broker.Count(BrokerCounter.LinkStops) > 0, $"seed {_seed} tried too little");
            Assert.True(shared.Order().SequenceEqual(_published.Select(message => message.Payload).Order()), $"seed {_seed}: a share lost a message");
        }

        private static bool Matches(Node node, string topic) => node.Filters[..^1].Any(filter =>
            Topics.Contains(topic) && Trunkline.Topics.TopicMatcher.Matches(System.Text.Encoding.UTF8.GetBytes(filter), System.Text.Encoding.UTF8.GetBytes(topic)));

        private void Publish()
        {
            // A repeat of one of the last numbers now and then: it must change nothing.
            if (_number > 3 && _random.Next(5) == 0)
            {
                int back = _random.Next(3);
                (string topic, string payload) = _published[^(back + 1)];
                _publisher.Publish(topic, payload, tl: $"n{_number - (ulong)back}");
                return;
            }

            string fresh = Topics[_random.Next(Topics.Length)];
            string body = $"{++_number:d5} {new string('x', _random.Next(3000))}";
            _published.Add((fresh, body));
            _publisher.Publish(fresh, body, tl: $"n{_number};q{1 + _random.Next(2)}");
        }

        private void Open(Node node)
        {
            node.Link = _broker.Receiver(node.Name, $"p{node.Seen}", node.Filters);
            Assert.Null(node.Link.LastReply.Field('e'));
        }

        /// <summary>The link breaks: what had arrived counts as seen, the rest is read again.</summary>
        private void Close(Node node)
        {
            foreach (Received message in node.Link!.All)
            {
                string? text = message.Topic == "$trunkline/tail" ? message.Payload[1..] : message.Field('p');
                if (message.Topic == "reply" || text is null)
                {
                    continue;
                }

                string[] parts = text.Split(':');
                var position = new LogPosition(ulong.Parse(parts[0]), ulong.Parse(parts[1]));
                Assert.True(position >= node.Seen, $"seed {_seed}: {node.Name} went back from {node.Seen} to {position}");
                if (message.Topic != "$trunkline/tail")
                {
                    Assert.True(position > node.Seen, $"seed {_seed}: {node.Name} got {position} twice");
                    node.Got.Add(message);
                }

                node.Seen = position;
            }

            node.Link.Break();
            node.Link = null;
            node.IsPaused = false;
        }
    }
}
