using System.Globalization;

namespace Trunkline.Hosting.Memory;

/// <summary>
/// What the control group of this process uses, of its limit: process, buffers of its sockets and all, without the pages of
/// files that the kernel takes back by itself. Both versions of cgroups; of nested groups the tightest.
/// </summary>
internal sealed class CgroupMemory : IMemorySource
{
    /// <summary>Version 1 writes a huge number for none.</summary>
    private const long NoLimit = 1L << 60;

    private readonly SystemFile _usage;
    private readonly SystemFile _statistics;

    private CgroupMemory(string folder, long limitBytes, bool isSecond)
    {
        LimitBytes = limitBytes;
        _usage = new SystemFile(Path.Combine(folder, isSecond ? "memory.current" : "memory.usage_in_bytes"));
        _statistics = new SystemFile(Path.Combine(folder, "memory.stat"));
    }

    public long LimitBytes { get; }

    /// <summary>The group that limits this process; null when none does.</summary>
    public static CgroupMemory? Find()
    {
        try
        {
            return OperatingSystem.IsLinux() ? Find("/sys/fs/cgroup", File.ReadAllLines("/proc/self/cgroup")) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The same from a folder and lines of the caller's choice.</summary>
    internal static CgroupMemory? Find(string root, IReadOnlyList<string> memberships)
    {
        // "4:memory:/path" is version 1, "0::/path" version 2.
        string? first = PathIn(memberships, ":memory:");
        string? second = PathIn(memberships, "0::");
        return first is not null && Tightest(Path.Combine(root, "memory"), first, isSecond: false) is { } limited ? limited
            : second is not null ? Tightest(root, second, isSecond: true)
            : null;
    }

    public long ReadUsedBytes()
    {
        long used = SystemFile.Number(_usage.Read());
        ReadOnlySpan<byte> statistics = _statistics.Read();
        while (!statistics.IsEmpty)
        {
            int end = statistics.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? statistics : statistics[..end];
            statistics = end < 0 ? default : statistics[(end + 1)..];
            if (line.StartsWith("inactive_file "u8) || line.StartsWith("active_file "u8))
            {
                used -= SystemFile.Number(line[(line.IndexOf((byte)' ') + 1)..]);
            }
        }

        return used;
    }

    public void Dispose()
    {
        _usage.Dispose();
        _statistics.Dispose();
    }

    private static string? PathIn(IReadOnlyList<string> memberships, string mark) => memberships
        .Where(line => line.Contains(mark, StringComparison.Ordinal) && (mark[0] == ':' || line.StartsWith(mark, StringComparison.Ordinal)))
        .Select(line => line[(line.IndexOf(mark, StringComparison.Ordinal) + mark.Length)..])
        .FirstOrDefault();

    /// <summary>Looks from the process's group up to the root; a container may show its own group as the root.</summary>
    private static CgroupMemory? Tightest(string root, string path, bool isSecond)
    {
        string? best = null;
        long lowest = NoLimit;
        for (string folder = root + path.TrimEnd('/'); folder.Length >= root.Length; folder = Path.GetDirectoryName(folder)!)
        {
            string file = Path.Combine(folder, isSecond ? "memory.max" : "memory.limit_in_bytes");
            if (File.Exists(file) && long.TryParse(File.ReadAllText(file), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out long limit)
                && limit < lowest)
            {
                lowest = limit;
                best = folder;
            }
        }

        return best is null ? null : new CgroupMemory(best, lowest, isSecond);
    }
}
