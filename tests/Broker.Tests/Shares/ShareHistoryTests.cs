using Trunkline.Broker.Tests.Store;
using Trunkline.Broker.Tests.Support;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Shares;

/// <summary>
/// Random histories of a share on a broker with files, against plain lists: members come and go, links break, nodes die with
/// what they have, the broker is killed (and, as after a power cut, loses the end of its log). In the end every message of
/// the log was done by somebody, and no QoS 2 message was begun by two sessions.
/// </summary>
public sealed class ShareHistoryTests
{
    private const string Share = "$share/s/#";

    [Theory]
    [InlineData(31, false)]
    [InlineData(32, false)]
    [InlineData(33, false)]
    [InlineData(34, true)]
    [InlineData(35, true)]
    public void Nothing_is_lost_and_QoS_2_is_begun_by_one_session(int seed, bool isCut)
    {
        using var history = new History(seed, isCut);
        for (int step = 0; step < 1_200; step++)
        {
            history.Step();
        }

        history.Finish();
    }

    /// <summary>A node: what it holds dies with it; what its sessions wrote ahead does not.</summary>
    private sealed class Node(string name)
    {
        public string Name { get; } = name;

        public TestClient? Link { get; set; }

        public int Read { get; set; }

        public int Members { get; set; } = 2;

        /// <summary>Handed out and not reported; reports that were not answered are told again.</summary>
        public Dictionary<string, QoS> Held { get; } = [];
    }

    private sealed class History : IDisposable
    {
        private readonly int _seed;
        private readonly bool _isCut;
        private readonly Random _random;
        private readonly BrokerOptions _options = StoreHarness.Small with
        {
            NodeGoneMs = 2_000,
            ReadAheadRecords = 40,
            ShareNodeMaximum = 12,
            LogMaximumBytes = 64 * 1024 * 1024,
        };
        private readonly Dictionary<string, string> _published = [];
        private readonly HashSet<string> _done = [];

        /// <summary>Exit records: whose a message is to be, by its place; kept whatever dies.</summary>
        private readonly Dictionary<string, List<int>> _records = [];

        /// <summary>Which sessions sent PUBLISH.</summary>
        private readonly Dictionary<string, HashSet<int>> _begun = [];
        private readonly List<Node> _nodes = [];
        private TempFolder _folder = new();
        private TestBroker _broker;
        private TestClient _publisher;
        private ulong _number;
        private (string Segment, long Length) _firstOfRun;
        private int _names;
        private int _kills;

        public History(int seed, bool isCut)
        {
            _seed = seed;
            _isCut = isCut;
            _random = new Random(seed);
            _broker = Begin();
            _publisher = _broker.PublishLink("p");
            Join();
            Join();
        }

        public void Dispose()
        {
            _broker.Group.Stop();
            _folder.Dispose();
        }

        public void Step()
        {
            Node node = _nodes[_random.Next(_nodes.Count)];
            switch (_random.Next(60))
            {
                case 0 when _nodes.Count > 1:
                    // It dies; its sessions are gone on with elsewhere.
                    Look(node);
                    node.Link?.Break();
                    _nodes.Remove(node);
                    break;
                case 1 when _nodes.Count < 4:
                    Join();
                    break;
                case 2:
                    Reconnect(node);
                    break;
                case 3:
                    Kill();
                    break;
                case < 8:
                    _broker.Advance(_random.Next(1_500));
                    break;
                case 8:
                    node.Members = _random.Next(3);
                    node.Link!.Report(Share, MembersOf(node));
                    break;
                case 9:
                    GiveBack(node);
                    break;
                case 10:
                    GoOnWithARecord(node);
                    break;
                case < 25:
                    Work(node);
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
                node.Members = 2;
                node.Link!.Report(Share, MembersOf(node));
            }

            // Time for nodes that are gone, then as long as reading from the disk takes.
            for (int round = 0; round < 100; round++)
            {
                _broker.Advance(100);
                WorkAll();
            }

            LoopUntil.Holds(_broker.Loop, WorkAll, $"everything is done, seed {_seed}");
            string[] missing = [.. _published.Where(message => !_done.Contains(message.Key)).Select(message => $"{message.Key} {message.Value}")];
            Assert.True(missing.Length == 0, $"seed {_seed}: {missing.Length} of {_published.Count} were lost, first {missing.FirstOrDefault()}");
            Assert.True(_isCut || _begun.Values.All(sessions => sessions.Count == 1), $"seed {_seed}: a QoS 2 message was begun by two sessions");
            Assert.True(_kills > 3 && _begun.Count > 50, $"seed {_seed} tried too little");
        }

        private bool WorkAll()
        {
            _nodes.ForEach(Work);
            foreach (string place in _records.Keys.Where(place => !_done.Contains(place)).ToArray())
            {
                GoOn(_nodes[0], place);
            }

            return _published.Keys.All(_done.Contains);
        }

        private TestBroker Begin()
        {
            var broker = new TestBroker(
                _options with { Store = LogStore.File, DataDirectory = _folder.Path },
                store: (loop, all) => GroupStore.Open("g", all, loop));

            // The beginning of a run, its term, is on disk before it serves.
            using FileStream stream = NewestSegment(FileAccess.Read);
            _firstOfRun = (Path.GetFileName(stream.Name), stream.Length);
            return broker;
        }

        private FileStream NewestSegment(FileAccess access) => new(
            Directory.EnumerateFiles(Path.Combine(_folder.Path, "g"), "*.log").Order(StringComparer.Ordinal).Last(),
            FileMode.Open,
            access,
            FileShare.ReadWrite);

        private void Publish()
        {
            int qos = 1 + _random.Next(2);
            string payload = $"{++_number} {new string('x', _random.Next(300))}";
            _publisher.Publish($"t/{_random.Next(3)}", payload, tl: $"n{_number};q{qos}");
            LoopUntil.Holds(_broker.Loop, () => _broker.Group.Log.Committed == _broker.Tail, "it is committed");
            _published.Add($"{_broker.Tail}", payload);
        }

        private void Join()
        {
            var node = new Node($"node-{++_names}");
            _nodes.Add(node);
            Connect(node);
        }

        private void Connect(Node node)
        {
            TestClient link = _broker.ReceiveLink(node.Name);
            link.Subscribe(Share, QoS.ExactlyOnce, identifier: 1, retainHandling: RetainHandling.DoNotSend);
            string held = node.Held.Count == 0 ? "" : $"hold {string.Join(' ', node.Held.Keys)}";
            link.Report(Share, MembersOf(node), held);
            link.Request("$trunkline/resume", "tail");
            node.Link = link;
            node.Read = 0;
        }

        private void Reconnect(Node node)
        {
            Look(node);
            node.Link!.Break();
            Connect(node);
        }

        private static string MembersOf(Node node) => $"members {node.Members} {node.Members * 10} round-robin";

        private void Look(Node node)
        {
            for (; node.Link is not null && node.Read < node.Link.Messages.Count; node.Read++)
            {
                Received message = node.Link.Messages[node.Read];
                node.Held[message.Field('p')!] = message.Field('q') == "2" ? QoS.ExactlyOnce : QoS.AtLeastOnce;
            }
        }

        private void GiveBack(Node node)
        {
            Look(node);
            string[] back = [.. node.Held.Where(held => held.Value == QoS.AtLeastOnce || _random.Next(2) == 0).Select(held => held.Key).Take(3)];
            foreach (string place in back)
            {
                node.Held.Remove(place);
                node.Link!.Report(Share, $"back {place}");
            }
        }

        /// <summary>Devices acknowledge at QoS 1; at QoS 2 sessions write ahead, take, and begin.</summary>
        private void Work(Node node)
        {
            Look(node);
            foreach ((string place, QoS qos) in node.Held.ToArray())
            {
                if (_random.Next(3) == 0)
                {
                    continue;
                }

                node.Held.Remove(place);
                if (qos == QoS.AtLeastOnce)
                {
                    _done.Add(place);
                    node.Link!.Report(Share, $"done {place}");
                    continue;
                }

                int session = (_random.Next(5) * 16) + 1 + _nodes.IndexOf(node);
                Records(place).Add(session);
                if (_random.Next(4) > 0)
                {
                    Take(node, place, session);
                }
            }
        }

        private void GoOnWithARecord(Node node)
        {
            string[] open = [.. _records.Keys.Where(place => !_done.Contains(place))];
            if (open.Length > 0)
            {
                GoOn(node, open[_random.Next(open.Length)]);
            }
        }

        private void GoOn(Node node, string place)
        {
            foreach (int session in Records(place).ToArray())
            {
                Take(node, place, session);
            }
        }

        private void Take(Node node, string place, int session)
        {
            node.Link!.Report(Share, $"take {session:x} {place}");
            LoopUntil.Holds(_broker.Loop, () => node.Link.LastReply.Payload.Length > 0, "the taking is answered");
            if (node.Link.LastReply.Payload == "x")
            {
                Records(place).Remove(session);
                return;
            }

            if (!_begun.TryGetValue(place, out HashSet<int>? sessions))
            {
                _begun.Add(place, sessions = []);
            }

            sessions.Add(session);
            if (_random.Next(3) > 0)
            {
                // PUBREC came, and "received" is stored.
                _done.Add(place);
                node.Link.Report(Share, $"done {place}");
            }
        }

        private List<int> Records(string place)
        {
            if (!_records.TryGetValue(place, out List<int>? sessions))
            {
                _records.Add(place, sessions = []);
            }

            return sessions;
        }

        /// <summary>The broker ends as it stands; what the files have is all that is left.</summary>
        private void Kill()
        {
            _kills++;
            _nodes.ForEach(Look);
            TempFolder copy = TempFolder.CopyOf(_folder.Path);
            _broker.Group.Stop();
            _folder.Dispose();
            _folder = copy;
            if (_isCut)
            {
                using FileStream stream = NewestSegment(FileAccess.Write);
                long floor = Path.GetFileName(stream.Name) == _firstOfRun.Segment ? _firstOfRun.Length : 4096;
                stream.SetLength(long.Max(floor, stream.Length - _random.Next(2_000)));
            }

            _broker = Begin();
            ForgetWhatIsCut();
            _publisher = _broker.PublishLink("p", highest: 0);
            _number += 10;
            _nodes.ForEach(Connect);
        }

        /// <summary>A power cut may take the end of the log; what is gone there is nobody's.</summary>
        private void ForgetWhatIsCut()
        {
            var kept = new HashSet<string>();
            Trunkline.Sessions.LogPosition after = default;
            LogCursor cursor = _broker.Group.Log.Seek(after, out _);
            for (LogReading reading = LogReading.Lost; reading != LogReading.Tail;)
            {
                reading = _broker.Group.Log.TryRead(ref cursor, out LogRecord record);
                if (reading == LogReading.Record)
                {
                    kept.Add($"{record.Position}");
                }
                else if (reading == LogReading.Pending)
                {
                    LogBlock block = cursor.Block!;
                    LoopUntil.Holds(_broker.Loop, () => !block.IsLoading, "the block is loaded");
                }
            }

            Assert.True(_isCut || _published.Keys.All(kept.Contains), $"seed {_seed}: the log lost a message");
            foreach (string place in _published.Keys.Where(place => !kept.Contains(place)).ToArray())
            {
                _published.Remove(place);
                _records.Remove(place);
                _nodes.ForEach(node => node.Held.Remove(place));
            }

            _done.IntersectWith(_published.Keys);
        }
    }
}
