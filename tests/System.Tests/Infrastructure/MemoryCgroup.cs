using System.Globalization;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>A control group of a test's own that limits memory, of either version. Its processes must be gone when it is disposed.</summary>
public sealed class MemoryCgroup : IDisposable
{
    private MemoryCgroup(string folder) => Folder = folder;

    /// <summary>Whoever writes its id into cgroup.procs there is limited.</summary>
    public string Folder { get; }

    /// <summary>Makes one. Fails where the machine does not let us.</summary>
    public static MemoryCgroup Make(long bytes)
    {
        bool isFirst = Directory.Exists("/sys/fs/cgroup/memory");
        string folder = Path.Combine(isFirst ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup", $"trunkline-test-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        try
        {
            File.WriteAllText(
                Path.Combine(folder, isFirst ? "memory.limit_in_bytes" : "memory.max"), bytes.ToString(CultureInfo.InvariantCulture));
        }
        catch
        {
            Directory.Delete(folder);
            throw;
        }

        return new MemoryCgroup(folder);
    }

    // The kernel's own files go with the folder.
    public void Dispose() => Directory.Delete(Folder);
}

/// <summary>A test that makes a control group. Where the machine does not let it, it is skipped and says why.</summary>
public sealed class CgroupFactAttribute : FactAttribute
{
    public CgroupFactAttribute()
    {
        try
        {
            MemoryCgroup.Make(1L << 30).Dispose();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Skip = $"No control group can be made here: {exception.Message}";
        }
    }
}
