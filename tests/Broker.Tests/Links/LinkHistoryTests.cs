using Trunkline.Broker.Tests.Support;
using Trunkline.Sessions;

namespace Trunkline.Broker.Tests.Links;

/// <summary>
/// Random histories of links that break, resume, stop reading and send again, against a plain list of what was
/// published: each node sees every logged message of its filters once and in order, the share gives it to one node.
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

        /// <summary>What the share handed to it.</summary>
        public List<string> Shared { get; } = [];

        /// <summary>Of that, what is not reported done.</summary>
        public List<string> Held { get; } = [];

        /// <summary>Messages of the link looked at.</summary>
        public int Read { get; set; }
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
                case 6 when node.Link is not null:
                    ReportDone(node);
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

            for (int round = 0; round < 200; round++)
            {
                Array.ForEach(_nodes, ReportDone);
            }

            _broker.Advance(2_000);
            foreach (Node node in _nodes)
            {
                Assert.Equal($"p{_broker.Tail}", node.Link!.Tails[^1].Payload);
                Close(node);
                Assert.True(
                    node.Got.Select(message => message.Payload).SequenceEqual(
                        _published.Where(message => Matches(node, message.Topic)).Select(message => message.Payload)),
                    $"seed {_seed}, node {node.Name}");
            }

            string[] shared = [.. _nodes.SelectMany(node => node.Shared)];
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
            TestClient link = _broker.ReceiveLink(node.Name, capacityBytes: _broker.LinkCapacityBytes);
            for (int i = 0; i < node.Filters.Length; i++)
            {
                link.Subscribe(node.Filters[i], Protocol.QoS.AtLeastOnce, identifier: (uint)i + 1, retainHandling: Protocol.RetainHandling.DoNotSend);
            }

            string held = node.Held.Count == 0 ? "" : $"hold {string.Join(' ', node.Held)}";
            link.Report("$share/s/#", "members 1 30 round-robin", held);
            link.Request("$trunkline/resume", $"p{node.Seen}");
            Assert.Null(link.LastReply.Field('e'));
            node.Link = link;
            node.Read = 0;
        }

        /// <summary>The link breaks: what had arrived counts as seen, the rest is read, or handed out, again.</summary>
        private void Close(Node node)
        {
            Look(node);
            node.Link!.Break();
            node.Link = null;
            node.IsPaused = false;
        }

        private void ReportDone(Node node)
        {
            Look(node);
            string[] done = [.. node.Held.Where(_ => _random.Next(3) > 0)];
            node.Held.RemoveAll(done.Contains);
            if (done.Length > 0)
            {
                node.Link!.Report("$share/s/#", $"done {string.Join(' ', done)}");
            }
        }

        private void Look(Node node)
        {
            for (; node.Read < node.Link!.All.Count; node.Read++)
            {
                Received message = node.Link.All[node.Read];
                string? text = message.Topic == "$trunkline/tail" ? message.Payload[1..] : message.Field('p');
                if (message.Topic == "reply" || text is null)
                {
                    continue;
                }

                if (message.Field('h') is not null)
                {
                    node.Shared.Add(message.Payload);
                    node.Held.Add(text);
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
        }
    }
}
