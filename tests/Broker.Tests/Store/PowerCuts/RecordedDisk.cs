namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>What a folder's name may stand for.</summary>
internal abstract class RecordedNode
{
    private readonly List<(long Begin, long End)> _syncs = [];

    /// <summary>A sync covers what had returned before it was entered, once it has returned itself.</summary>
    public void AddSync(long begin, long end) => _syncs.Add((begin, end));

    /// <summary>Whether a change had been synced at a moment.</summary>
    protected bool IsDurable(long end, long moment) => _syncs.Exists(sync => end < sync.Begin && sync.End <= moment);
}

/// <summary>A file as its changes: what was written where, how long it was made.</summary>
/// <param name="before">What was on the disk before the recording.</param>
internal sealed class RecordedFile(byte[] before) : RecordedNode
{
    private readonly List<(SystemCall Call, long Offset, byte[] Bytes, bool IsLength)> _changes = [];

    public void AddWrite(SystemCall call, long offset, byte[] bytes) => _changes.Add((call, offset, bytes, false));

    public void AddLength(SystemCall call, long length) => _changes.Add((call, length, [], true));

    /// <summary>
    /// Its process has ended and left these bytes: of a write that never returned a part may have been made, or nothing; nor
    /// does one count that strace took for returned because its thread was killed in it. Of a thread that was killed in a
    /// write strace may have no line: what the file has gained beyond the recording is that write, made at the last moment.
    /// </summary>
    public void Settle(byte[] left, string file, long? killedAt)
    {
        if (_changes.Count > 0 && _changes[^1] is { IsLength: false } last
            && (last.Call.End == long.MaxValue || (killedAt is not null && left.Length < last.Offset + last.Bytes.Length)))
        {
            _changes.RemoveAt(_changes.Count - 1);
            int made = (int)long.Clamp(left.Length - last.Offset, 0, last.Bytes.Length);
            if (made > 0)
            {
                AddWrite(last.Call, last.Offset, left[(int)last.Offset..][..made]);
            }
        }

        byte[] recorded = StatesAt(long.MaxValue - 1)[^1];
        if (killedAt is { } moment && left.Length > recorded.Length && left.AsSpan().StartsWith(recorded))
        {
            AddWrite(new SystemCall("pwrite64", "", moment) { End = moment }, recorded.Length, left[recorded.Length..]);
            recorded = left;
        }

        Assert.True(
            recorded.AsSpan().SequenceEqual(left),
            $"{file} is not as recorded: something wrote to it unseen ({left.Length} bytes for {recorded.Length}, the same up to {recorded.AsSpan().CommonPrefixLength(left)})");
    }

    /// <summary>
    /// The contents it had at a moment, each a state behind one more change: the first is what a power cut leaves in any case, the
    /// last what a killed process leaves.
    /// </summary>
    public List<byte[]> StatesAt(long moment)
    {
        var durable = new MemoryStream();
        durable.Write(before);
        var states = new List<byte[]>();
        foreach ((SystemCall call, long offset, byte[] bytes, bool isLength) in _changes.Where(change => change.Call.Begin <= moment))
        {
            bool isDurable = IsDurable(call.End, moment);
            Assert.False(isDurable && states.Count > 0, "a change was synced that one before it was not: this is not modelled");
            if (!isDurable && states.Count == 0)
            {
                states.Add(durable.ToArray());
            }

            if (isLength)
            {
                durable.SetLength(offset);
            }
            else
            {
                durable.Position = offset;
                durable.Write(bytes);
            }

            if (!isDurable)
            {
                states.Add(durable.ToArray());
            }
        }

        return states.Count > 0 ? states : [durable.ToArray()];
    }
}

/// <summary>A folder as changes of its names.</summary>
internal sealed class RecordedFolder : RecordedNode
{
    private readonly List<(SystemCall Call, string? Gone, string? Name, RecordedNode? Node)> _changes = [];
    private readonly Dictionary<string, RecordedNode> _before = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RecordedNode> _now = new(StringComparer.Ordinal);

    /// <summary>A folder that was made meanwhile.</summary>
    public RecordedFolder()
    {
    }

    /// <summary>A folder that was there before the recording, with what a folder of another place holds.</summary>
    public RecordedFolder(string contents)
    {
        foreach (string path in Directory.GetFileSystemEntries(contents))
        {
            RecordedNode node = Directory.Exists(path) ? new RecordedFolder(path) : new RecordedFile(File.ReadAllBytes(path));
            _before.Add(Path.GetFileName(path), node);
            _now.Add(Path.GetFileName(path), node);
        }
    }

    /// <summary>What the running process sees.</summary>
    public IReadOnlyDictionary<string, RecordedNode> Now => _now;

    /// <summary>A name is made (<paramref name="gone"/> null), renamed, or removed (<paramref name="name"/> null).</summary>
    public void Change(SystemCall call, string? gone, string? name, RecordedNode? node)
    {
        _changes.Add((call, gone, name, node));
        Apply(_now, gone, name, node);
    }

    /// <summary>Its process has ended and left this: the same names, and each file as recorded.</summary>
    public void Settle(string left, long? killedAt)
    {
        string[] names = [.. Directory.GetFileSystemEntries(left).Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal)];
        Assert.Equal(_now.Keys.Order(StringComparer.Ordinal), names);
        foreach ((string name, RecordedNode node) in _now)
        {
            string path = Path.Combine(left, name);
            if (node is RecordedFile file)
            {
                file.Settle(File.ReadAllBytes(path), path, killedAt);
            }
            else
            {
                ((RecordedFolder)node).Settle(path, killedAt);
            }
        }
    }

    /// <summary>The names at a moment, where <paramref name="mayKeep"/> decides of each change that was not synced.</summary>
    public Dictionary<string, RecordedNode> NamesAt(long moment, Func<bool> mayKeep)
    {
        var names = new Dictionary<string, RecordedNode>(_before, StringComparer.Ordinal);
        foreach ((SystemCall call, string? gone, string? name, RecordedNode? node) in _changes.Where(change => change.Call.Begin <= moment))
        {
            if (IsDurable(call.End, moment) || mayKeep())
            {
                Apply(names, gone, name, node);
            }
        }

        return names;
    }

    private static void Apply(Dictionary<string, RecordedNode> names, string? gone, string? name, RecordedNode? node)
    {
        if (gone is not null)
        {
            names.Remove(gone);
        }

        if (name is not null)
        {
            names[name] = node!;
        }
    }
}
