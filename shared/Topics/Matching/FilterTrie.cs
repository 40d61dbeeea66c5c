namespace Trunkline.Topics;

/// <summary>
/// The wildcard filters as a trie of levels. Children by name are found in one hash table over all nodes, keyed by
/// (parent, level), so a node needs no table of its own; + and # are fields. Part of <see cref="FilterIndex{T}"/>.
/// <code>
///   a/+/b   a/#          root -a-> (1) Rest = entry of a/#
///                                   '-+-> (2) -b-> (3) Entry = entry of a/+/b
/// </code>
/// </summary>
internal sealed class FilterTrie
{
    private const int Root = 1;

    private readonly HashedPool<FilterNode> _nodes = new();

    // Scratch of Match, long enough for the deepest filter there was: Match itself never allocates.
    private Frame[] _stack = new Frame[8];
    private TopicLevel[] _levels = new TopicLevel[8];

    public FilterTrie() => _nodes.Take();

    /// <summary>Nodes below the root.</summary>
    public int NodeCount { get; private set; }

    /// <summary>Whether there are no filters in it; # alone needs no node.</summary>
    public bool IsEmpty => NodeCount == 0 && _nodes[Root].Rest == 0;

    /// <summary>Enters a filter; <paramref name="text"/> stays referenced until <see cref="Remove"/>.</summary>
    public void Add(byte[] text, int entry)
    {
        int node = Root, start = 0, depth = 0;
        while (true)
        {
            int end = TopicText.LevelEnd(text, start);
            ReadOnlySpan<byte> level = text.AsSpan(start, end - start);
            if (end == text.Length && level is [TopicText.MultiLevel])
            {
                _nodes[node].Rest = entry;
                break;
            }
            node = level is [TopicText.SingleLevel] ? GetOrAddPlus(node) : GetOrAddLiteral(node, text, start, end);
            depth++;
            if (end == text.Length)
            {
                _nodes[node].Entry = entry;
                break;
            }
            start = end + 1;
        }
        if (depth + 2 > _stack.Length)
        {
            _stack = new Frame[Math.Max(depth + 2, _stack.Length * 2)];
            _levels = new TopicLevel[_stack.Length];
        }
    }

    /// <summary>Takes out a filter that is in, and the nodes that nobody needs then.</summary>
    public void Remove(byte[] text)
    {
        int node = Root, start = 0;
        while (true)
        {
            int end = TopicText.LevelEnd(text, start);
            ReadOnlySpan<byte> level = text.AsSpan(start, end - start);
            if (end == text.Length && level is [TopicText.MultiLevel])
            {
                _nodes[node].Rest = 0;
                break;
            }
            node = level is [TopicText.SingleLevel] ? _nodes[node].Plus : Find(node, level, KeyHash.Of(level));
            if (end == text.Length)
            {
                _nodes[node].Entry = 0;
                break;
            }
            start = end + 1;
        }
        Prune(node, text);
    }

    /// <summary>
    /// Finds all filters that match. Visits each node at most once, and at most two children of each, so the work is
    /// at most min(nodes, 2^(levels + 1)) visits, whatever the filters: returned for tests and counters.
    /// </summary>
    public int Match<T, TCollector>(ReadOnlySpan<byte> topic, HashedPool<FilterEntry<T>> entries, ref TCollector collector)
        where T : notnull
        where TCollector : struct, IFilterCollector<T>, allows ref struct
    {
        // Depth first on an own stack: a frame is replaced by at most two, so it is never deeper than the trie plus one.
        Frame[] stack = _stack;
        bool reserved = topic is [TopicText.Reserved, ..];
        int visits = 0, known = 0, height = 0;
        stack[height++] = new Frame(Root, 0);
        while (height > 0)
        {
            (int id, int depth) = stack[--height];
            ref FilterNode node = ref _nodes[id];
            visits++;
            bool wildcards = !(depth == 0 && reserved); // [MQTT-4.7.2-1]
            if (node.Rest != 0 && wildcards)
            {
                entries[node.Rest].CollectInto(ref collector); // Also where the topic ends here: a/# matches a.
            }
            if (depth > 0 && _levels[depth - 1].End == topic.Length)
            {
                if (node.Entry != 0)
                {
                    entries[node.Entry].CollectInto(ref collector);
                }
                continue;
            }
            if ((node.Plus == 0 || !wildcards) && node.Literals == 0)
            {
                continue;
            }
            if (known == depth)
            {
                _levels[known++].Read(topic, depth == 0 ? 0 : _levels[depth - 1].End + 1);
            }
            if (node.Plus != 0 && wildcards)
            {
                stack[height++] = new Frame(node.Plus, depth + 1);
            }
            if (node.Literals != 0)
            {
                ref TopicLevel level = ref _levels[depth];
                ReadOnlySpan<byte> name = topic[level.Start..level.End];
                int child = Find(id, name, level.HashOf(name));
                if (child != 0)
                {
                    stack[height++] = new Frame(child, depth + 1);
                }
            }
        }
        return visits;
    }

    private int Find(int parent, ReadOnlySpan<byte> level, ulong levelHash)
    {
        uint hash = KeyHash.OfChild(parent, levelHash);
        int id = _nodes.First(hash);
        while (id != 0)
        {
            ref FilterNode node = ref _nodes[id];
            if (node.Hash == hash && node.Parent == parent && node.Level.SequenceEqual(level))
            {
                return id;
            }
            id = node.Next;
        }
        return 0;
    }

    private int GetOrAddPlus(int parent)
    {
        int id = _nodes[parent].Plus;
        if (id == 0)
        {
            id = _nodes.Take();
            _nodes[id].Parent = parent;
            _nodes[parent].Plus = id;
            NodeCount++;
        }
        return id;
    }

    private int GetOrAddLiteral(int parent, byte[] text, int start, int end)
    {
        ReadOnlySpan<byte> level = text.AsSpan(start, end - start);
        ulong levelHash = KeyHash.Of(level);
        int id = Find(parent, level, levelHash);
        if (id == 0)
        {
            id = _nodes.Take();
            ref FilterNode node = ref _nodes[id];
            node.Parent = parent;
            node.Text = text;
            node.Start = (ushort)start;
            node.Length = (ushort)(end - start);
            _nodes[parent].Literals++;
            _nodes.Link(id, KeyHash.OfChild(parent, levelHash));
            NodeCount++;
        }
        return id;
    }

    private void Prune(int id, byte[] text)
    {
        while (id != Root)
        {
            ref FilterNode node = ref _nodes[id];
            int parent = node.Parent;
            if (node.Entry == 0 && node.Rest == 0 && node.Plus == 0 && node.Literals == 0)
            {
                if (node.Text is null)
                {
                    _nodes[parent].Plus = 0;
                }
                else
                {
                    _nodes[parent].Literals--;
                    _nodes.Unlink(id);
                }
                _nodes.Release(id);
                NodeCount--;
            }
            else if (ReferenceEquals(node.Text, text))
            {
                // The node stays for others: it must not keep a text of up to 64 KiB alive for the sake of one level.
                node.Text = node.Level.ToArray();
                node.Start = 0;
            }
            id = parent;
        }
    }

    private readonly record struct Frame(int Node, int Depth);

    /// <summary>One level of the topic being matched: read when the first node of its depth needs it.</summary>
    private struct TopicLevel
    {
        public int Start;
        public int End;
        private ulong _hash;
        private bool _hashed;

        public void Read(ReadOnlySpan<byte> topic, int start)
        {
            Start = start;
            End = TopicText.LevelEnd(topic, start);
            _hashed = false;
        }

        public ulong HashOf(ReadOnlySpan<byte> name)
        {
            if (!_hashed)
            {
                _hash = KeyHash.Of(name);
                _hashed = true;
            }
            return _hash;
        }
    }
}
