using System.Text;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>Which syncs of a recording count: all, or as if the program had left some out, for tests of the judge.</summary>
[Flags]
internal enum Syncs
{
    Files = 1,
    Folders = 2,
    All = Files | Folders,
}

/// <summary>
/// What one or more processes did to the files below a folder, one after the other, and what they sent. A call that changes
/// files in a way this does not know fails the test that reads it, and so do files that are not as recorded when a process has
/// ended: nothing goes by unseen.
/// </summary>
internal sealed class DiskRecording
{
    /// <summary>The end of the helping thread's name.</summary>
    private const string Helper = "-store";

    private readonly string _root;
    private readonly Syncs _syncs;
    private readonly Dictionary<int, RecordedNode> _open = [];
    private readonly Dictionary<string, string> _threads = [];
    private readonly List<SystemCall> _sends = [];
    private readonly List<long> _nameChanges = [];
    private readonly List<SystemCall> _unfinished = [];
    private string _left = "";

    private DiskRecording(string root, Syncs syncs, RecordedFolder before)
    {
        _root = root;
        _syncs = syncs;
        Root = before;
    }

    /// <summary>The folder they worked in; it is there in every image.</summary>
    public RecordedFolder Root { get; }

    /// <summary>What was sent, in the order in which the calls were entered.</summary>
    public IReadOnlyList<SystemCall> Sends => _sends;

    /// <summary>When names changed: the moments around these are worth a look.</summary>
    public IReadOnlyList<long> NameChanges => _nameChanges;

    /// <summary>How often each kind of file was put in the place of another of its name, by its ending or name.</summary>
    public Dictionary<string, int> Replaced { get; } = [];

    /// <summary>How often one was deleted.</summary>
    public Dictionary<string, int> Deleted { get; } = [];

    /// <summary>How often a file was made shorter or longer.</summary>
    public int LengthChanges { get; private set; }

    /// <summary>When contents or lengths of files changed.</summary>
    public List<long> ContentChanges { get; } = [];

    /// <summary>
    /// Syncs of the newest segment, but those of the helping thread: what was written to the log before one began is on the
    /// disk once it has ended. That thread syncs it for what it writes anew, whatever became of those before.
    /// </summary>
    public List<(long Begin, long End)> LogSyncs { get; } = [];

    /// <summary>The last moment.</summary>
    public long End { get; private set; }

    /// <summary>Where each process began.</summary>
    public List<long> Runs { get; } = [];

    /// <param name="root">The folder whose files are recorded; it exists before.</param>
    /// <param name="runs">A file of strace and a copy of the files at its end, one a process, oldest first.</param>
    /// <param name="syncs">Which syncs count.</param>
    /// <param name="before">A copy of what was on the disk before the first of them; null for nothing.</param>
    public static DiskRecording Read(string root, IEnumerable<(string Trace, string Left)> runs, Syncs syncs = Syncs.All, string? before = null)
    {
        var recording = new DiskRecording(root, syncs, before is null ? new RecordedFolder() : new RecordedFolder(before));
        foreach ((string trace, string left) in runs)
        {
            recording.Add(File.ReadAllLines(trace), left);
        }

        return recording;
    }

    private void Add(string[] lines, string left)
    {
        Runs.Add(End);
        _left = left;
        _open.Clear();
        _threads.Clear();
        var events = new PriorityQueue<(SystemCall Call, bool IsEntry), (long, int)>();
        foreach (SystemCall call in SystemCallTrace.Read(lines, End))
        {
            events.Enqueue((call, true), (call.Begin, 0));
            if (call.End != long.MaxValue)
            {
                events.Enqueue((call, false), (call.End, 1));
            }
        }

        End += lines.Length;
        _unfinished.Clear();
        while (events.TryDequeue(out (SystemCall Call, bool IsEntry) next, out _))
        {
            if (next.IsEntry)
            {
                Enter(next.Call);
            }
            else if (next.Call.Name is "openat" && next.Call.Result >= 0)
            {
                Opened(next.Call);
            }
        }

        Root.Settle(left, lines.Any(line => line.EndsWith("+++ killed by SIGKILL +++", StringComparison.Ordinal)) ? End : null);
        foreach (SystemCall call in _unfinished)
        {
            // Done or not, that is decided now.
            call.End = End;
        }
    }

    /// <summary>Whether a name that a process was changing when it was killed is as if it had been changed.</summary>
    private bool WasDone(string? gone, string? made) => Path.Exists(_left + (gone ?? made)) == gone is null;

    private void Enter(SystemCall call)
    {
        // A call that failed changed nothing; one that never returned because the process was killed may have.
        if (call.End == long.MaxValue)
        {
            _unfinished.Add(call);
        }
        else if (call.Result < 0)
        {
            return;
        }

        switch (call.Name)
        {
            case "sendto" or "sendmsg":
                _sends.Add(call);
                return;
            case "prctl":
                NameThread(call);
                return;
            case "openat":
                Make(call);
                return;
            case "mkdir":
                ChangeName(call, null, PathOf(call, 0), () => new RecordedFolder());
                return;
            case "rename":
                ChangeName(call, PathOf(call, 0), PathOf(call, 1), () => null);
                return;
            case "unlink":
                ChangeName(call, PathOf(call, 0), null, () => null);
                return;
            case "unlinkat" or "rmdir" or "renameat" or "renameat2" or "mkdirat" or "open" or "creat" or "truncate" or "link" or "linkat" or "symlink" or "symlinkat":
                Assert.True(PathOf(call, 0) is null, $"{call.Name} is not modelled");
                return;
            case "io_uring_setup" or "sendmmsg":
                Assert.Fail($"{call.Name} is not modelled");
                return;
            default:
                EnterOnDescriptor(call);
                return;
        }
    }

    private void EnterOnDescriptor(SystemCall call)
    {
        if (call.Name == "mmap")
        {
            // mmap(address, length, protection, flags, descriptor, offset): what is written that way no trace shows.
            string[] fields = call.Arguments.Split(", ");
            Assert.False(
                fields[3].Contains("MAP_SHARED", StringComparison.Ordinal) && int.TryParse(fields[4], out int mapped) && _open.ContainsKey(mapped),
                "a file of the store is mapped into memory");
            return;
        }

        if (!_open.TryGetValue(call.Descriptor, out RecordedNode? node))
        {
            return;
        }

        switch (call.Name)
        {
            case "close":
                _open.Remove(call.Descriptor);
                break;
            case "pwrite64":
                byte[] bytes = call.Strings()[0];
                Assert.True(call.End == long.MaxValue || call.Result == bytes.Length, "a write was not whole: this is not modelled");
                ((RecordedFile)node).AddWrite(call, call.LastNumber, bytes);
                ContentChanges.Add(call.Begin);
                break;
            case "ftruncate":
                LengthChanges++;
                ContentChanges.Add(call.Begin);
                ((RecordedFile)node).AddLength(call, call.LastNumber);
                break;
            case "fsync" or "fdatasync":
                if (_syncs.HasFlag(node is RecordedFile ? Syncs.Files : Syncs.Folders) && call.End != long.MaxValue)
                {
                    node.AddSync(call.Begin, call.End);
                    if (node == NewestSegment() && !_threads.GetValueOrDefault(call.Thread, "").EndsWith(Helper, StringComparison.Ordinal))
                    {
                        LogSyncs.Add((call.Begin, call.End));
                    }
                }

                break;
            default:
                Assert.Fail($"{call.Name} on a file of the store is not modelled");
                break;
        }
    }

    private void NameThread(SystemCall call)
    {
        if (call.Arguments.StartsWith("PR_SET_NAME,", StringComparison.Ordinal))
        {
            // strace shows as much of it as the kernel keeps.
            _threads[call.Thread] = Encoding.UTF8.GetString(SystemCall.Decode(call.Arguments.Split('"')[1]));
        }
    }

    /// <summary>An open that makes its file does so from its entry on.</summary>
    private void Make(SystemCall call)
    {
        if (PathOf(call, 0) is not { } path || !call.Arguments.Contains("O_CREAT", StringComparison.Ordinal))
        {
            return;
        }

        if (Find(path) is null)
        {
            ChangeName(call, null, path, () => new RecordedFile([]));
        }
    }

    private void Opened(SystemCall call)
    {
        _open.Remove((int)call.Result);
        if (PathOf(call, 0) is { } path && Find(path) is { } node)
        {
            _open[(int)call.Result] = node;
            if (call.Arguments.Contains("O_TRUNC", StringComparison.Ordinal))
            {
                ((RecordedFile)node).AddLength(call, 0);
                ContentChanges.Add(call.Begin);
            }
        }
    }

    private void ChangeName(SystemCall call, string? gone, string? made, Func<RecordedNode?> node)
    {
        if ((gone ?? made) is not { } path || (call.End == long.MaxValue && !WasDone(gone, made)))
        {
            return;
        }

        var folder = (RecordedFolder)Find(Path.GetDirectoryName(path)!)!;
        Assert.True(gone is null || made is null || Path.GetDirectoryName(gone) == Path.GetDirectoryName(made), "a rename between folders is not modelled");
        string? goneName = gone is null ? null : Path.GetFileName(gone);
        if (made is null || folder.Now.ContainsKey(Path.GetFileName(made)))
        {
            Dictionary<string, int> counts = made is null ? Deleted : Replaced;
            string kind = Path.GetExtension(made ?? gone) is { Length: > 0 } ending ? ending : Path.GetFileName(made ?? gone)!;
            counts[kind] = counts.GetValueOrDefault(kind) + 1;
        }

        folder.Change(call, goneName, made is null ? null : Path.GetFileName(made), goneName is null ? node() : folder.Now[goneName]);
        _nameChanges.Add(call.Begin);
    }

    private RecordedNode? NewestSegment() => Find("/data/g") is RecordedFolder group
        ? group.Now.Where(entry => entry.Key.EndsWith(".log", StringComparison.Ordinal)).OrderBy(entry => entry.Key, StringComparer.Ordinal).LastOrDefault().Value
        : null;

    /// <summary>What has a path, given from the root, now; null for nothing.</summary>
    private RecordedNode? Find(string path)
    {
        RecordedNode? node = Root;
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            node = (node as RecordedFolder)?.Now.GetValueOrDefault(name);
        }

        return node;
    }

    /// <summary>A path among the arguments, from the root on; null for one elsewhere. The process names paths whole.</summary>
    private string? PathOf(SystemCall call, int index)
    {
        string path = Encoding.UTF8.GetString(call.Strings()[index]);
        return path == _root || path.StartsWith(_root + "/", StringComparison.Ordinal) ? path[_root.Length..] : null;
    }
}
