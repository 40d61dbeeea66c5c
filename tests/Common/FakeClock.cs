using System.Diagnostics;

namespace Trunkline.Testing;

/// <summary>
/// A wall clock of one process that jumps when told to, by libfaketime; its monotonic clock goes on. The process must be
/// started with <see cref="Apply"/>.
/// </summary>
internal sealed class FakeClock : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public FakeClock() => Jump("+0");

    private static string Library { get; } =
        System.IO.Directory.GetDirectories("/usr/lib").Select(folder => Path.Combine(folder, "faketime", "libfaketime.so.1")).FirstOrDefault(File.Exists) ?? "";

    /// <summary>Sets how far the clock is from the machine's: <c>+0</c>, <c>+1h</c>, <c>-10y</c>.</summary>
    public void Jump(string offset)
    {
        // In one step, for it is read at any time.
        string fresh = _file + ".new";
        File.WriteAllText(fresh, offset + "\n");
        File.Move(fresh, _file, overwrite: true);
    }

    /// <summary>Makes the process, and those it starts, live by this clock.</summary>
    public void Apply(ProcessStartInfo start)
    {
        ArgumentNullException.ThrowIfNull(start);
        start.Environment["LD_PRELOAD"] = Library;
        start.Environment["FAKETIME_TIMESTAMP_FILE"] = _file;
        start.Environment["FAKETIME_CACHE_DURATION"] = "1";
        start.Environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
    }

    /// <summary>
    /// The same for redis-server: its jemalloc asks for the time while it begins, before libfaketime can answer, so the C
    /// library's malloc goes before it.
    /// </summary>
    public void ApplyToRedis(ProcessStartInfo start)
    {
        Apply(start);
        start.Environment["LD_PRELOAD"] = $"{Library}:{Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(Library)) ?? "", "libc.so.6")}";
    }

    public void Dispose() => File.Delete(_file);
}
