using System.Globalization;

namespace Trunkline.Loadtest;

/// <summary>CPU time and memory of one process at one moment, from its clock and /proc.</summary>
/// <param name="CpuSeconds">User and system time since it started.</param>
/// <param name="RssBytes">Resident memory.</param>
internal readonly record struct ProcessSample(double CpuSeconds, long RssBytes)
{
    // USER_HZ: fixed for every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>Reads it; null when the process is gone.</summary>
    public static ProcessSample? Read(int pid)
    {
        try
        {
            ProcessSample sample = Parse(File.ReadAllText($"/proc/{pid}/stat"));
            return sample with { CpuSeconds = ProcessClock.CpuSeconds(pid) ?? sample.CpuSeconds };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Resident memory to the page: /proc/pid/stat lags by up to 64 pages a thread. Slower; null where it may not be read.</summary>
    public static long? ReadExactRss(int pid)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{pid}/smaps_rollup").FirstOrDefault(line => line.StartsWith("Rss:", StringComparison.Ordinal));
            return line is null ? null : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Reads a line of /proc/pid/stat; the name in it may hold blanks and brackets.</summary>
    internal static ProcessSample Parse(string stat)
    {
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        double ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        return new ProcessSample(ticks / TicksPerSecond, long.Parse(fields[21], CultureInfo.InvariantCulture) * Environment.SystemPageSize);
    }
}
