using System.Globalization;

namespace Trunkline.Tool.Bench.Load;

/// <summary>Resident memory of a process, to the page: /proc/PID/stat lags behind by up to 64 pages a thread.</summary>
internal static class ProcessMemory
{
    /// <summary>Bytes now.</summary>
    public static double Bytes(MeasuredProcess process)
    {
        string file = string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Pid}/smaps_rollup");
        string line = File.ReadLines(file).First(line => line.StartsWith("Rss:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
