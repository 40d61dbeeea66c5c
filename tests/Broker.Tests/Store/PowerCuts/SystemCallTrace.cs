using System.Globalization;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>One system call of a recording: when it was entered and when it returned, as line numbers of the whole recording.</summary>
internal sealed class SystemCall(string name, string arguments, long begin)
{
    private const string HexEscape = "\\x";

    public string Name { get; } = name;

    /// <summary>Whose call it was, by the number of the thread.</summary>
    public string Thread { get; init; } = "";

    /// <summary>From here on it may have had any part of its effect.</summary>
    public long Begin { get; } = begin;

    /// <summary>From here on it has had its effect; never where the process was killed in it.</summary>
    public long End { get; set; } = long.MaxValue;

    /// <summary>What it returned; negative where it failed or never returned.</summary>
    public long Result { get; set; } = -1;

    public string Arguments { get; } = arguments;

    /// <summary>The first argument as a number: a descriptor.</summary>
    public int Descriptor =>
        int.TryParse(Arguments.AsSpan(0, Arguments.AsSpan().IndexOfAny(',', ' ') is var end and >= 0 ? end : Arguments.Length), CultureInfo.InvariantCulture, out int number) ? number : -1;

    /// <summary>What stands behind the last comma: a flag, an offset.</summary>
    public long LastNumber => long.Parse(Arguments.AsSpan(Arguments.LastIndexOf(',') + 1).Trim(), CultureInfo.InvariantCulture);

    /// <summary>The quoted arguments, one behind the other: paths, buffers.</summary>
    public IReadOnlyList<byte[]> Strings()
    {
        var strings = new List<byte[]>();
        string[] parts = Arguments.Split('"');
        for (int i = 1; i < parts.Length; i += 2)
        {
            Assert.True(i + 1 < parts.Length && !parts[i + 1].StartsWith("...", StringComparison.Ordinal), $"strace cut a buffer of {Name} short");
            strings.Add(Decode(parts[i]));
        }

        return strings;
    }

    /// <summary>The bytes of a quoted argument.</summary>
    public static byte[] Decode(string quoted) => Convert.FromHexString(quoted.Replace(HexEscape, "", StringComparison.Ordinal));
}

/// <summary>
/// Reads what <c>strace -f -xx</c> wrote: the calls in the order in which they were entered. Other threads' lines may stand
/// between a call's entry and its return; whatever one thread did because another's call had returned stands behind that.
/// </summary>
/// <remarks>
/// <code>
///   11029 fdatasync(123)                    = 0
///   11029 fsync(123 &lt;unfinished ...&gt;
///   11029 &lt;... fsync resumed&gt;)              = 0
/// </code>
/// </remarks>
internal static class SystemCallTrace
{
    /// <summary>The calls that change files or names, or could; those that send; and what names threads.</summary>
    public const string Calls =
        "openat,open,creat,mkdir,mkdirat,write,pwrite64,pwritev,pwritev2,writev,ftruncate,truncate,fallocate,rename,renameat,renameat2,"
        + "link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,fsync,fdatasync,sync_file_range,syncfs,close,dup,dup2,dup3,mmap,sendto,sendmsg,sendmmsg,"
        + "copy_file_range,sendfile,splice,io_uring_setup,prctl";

    private const string Unfinished = " <unfinished ...>";
    private const string Detached = " <detached ...>";
    private const string UnknownError = " (errno ";
    private const string Resumed = " resumed>";

    /// <param name="lines">What strace wrote.</param>
    /// <param name="first">The number of the first line: a call that one line tells of begins and ends at its number.</param>
    public static IEnumerable<SystemCall> Read(IEnumerable<string> lines, long first)
    {
        var open = new Dictionary<string, SystemCall>();
        var calls = new List<SystemCall>();
        long number = first;
        foreach (string line in lines)
        {
            number++;
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            Assert.True(space > 0, $"line {number - first} of {calls.Count} calls has no thread: \"{line}\"");
            string thread = line[..space];
            ReadOnlySpan<char> rest = line.AsSpan(space).TrimStart();
            if (rest.StartsWith("<... "))
            {
                int resumes = rest.IndexOf(Resumed);
                Assert.True(resumes > 0 || rest.EndsWith(Detached), $"line {number - first} resumes nothing: \"{line}\"");
                if (resumes > 0 && open.Remove(thread, out SystemCall? resumed))
                {
                    Finish(resumed, rest[resumes..], number);
                }

                continue;
            }

            int bracket = rest.IndexOf('(');
            if (bracket <= 0 || rest[0] is '+' or '-')
            {
                continue;
            }

            // A thread that was killed in a call is detached, or its call never resumes.
            bool isOpen = rest.EndsWith(Unfinished) || rest.EndsWith(Detached);
            int end = isOpen ? rest.LastIndexOf(" <") : rest.LastIndexOf(") ");
            Assert.True(end > bracket, $"line {number - first} is no call: \"{line}\"");
            var call = new SystemCall(rest[..bracket].ToString(), rest[(bracket + 1)..end].ToString(), number) { Thread = thread };
            calls.Add(call);
            if (isOpen)
            {
                open[thread] = call;
            }
            else
            {
                Finish(call, rest[end..], number);
            }
        }

        return calls;
    }

    private static void Finish(SystemCall call, ReadOnlySpan<char> tail, long number)
    {
        ReadOnlySpan<char> result = tail[(tail.LastIndexOf(" = ") + 3)..];
        int end = result.IndexOf(' ');
        result = end < 0 ? result : result[..end];
        if (tail.Contains(UnknownError, StringComparison.Ordinal))
        {
            // No error there is: what stood in the register of a thread that was killed in the call, which may have been made.
            return;
        }

        if (long.TryParse(result, CultureInfo.InvariantCulture, out long value))
        {
            call.Result = value;
            call.End = number;
        }
        else if (result.StartsWith("0x"))
        {
            call.Result = 0;
            call.End = number;
        }
    }
}
