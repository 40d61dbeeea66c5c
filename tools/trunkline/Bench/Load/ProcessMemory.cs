using System.Globalization;

namespace Trunkline.Tool.Bench.Load;

/// <summary>Resident memory of a process, to the page: /proc/PID/stat lags behind by up to 64 pages a thread.</summary>
internal static class ProcessMemory
{
    /// <summary>Bytes now.</summary>
    public static double Bytes(MeasuredProcess process) =>
        Resident(File.ReadLines(Name(process, "smaps_rollup")).First(line => line.StartsWith("Rss:", StringComparison.Ordinal)));

    /// <summary>Bytes now, but for what the managed heap has, of which <paramref name="committed"/> bytes are in use.</summary>
    public static double OutsideHeap(MeasuredProcess process, double committed) =>
        OutsideHeap(File.ReadLines(Name(process, "smaps")), committed);

    /// <summary>
    /// The same of the lines of smaps. The runtime reserves the addresses of its heap in one piece, twice as large as the
    /// machine's memory, and commits parts of it: so it is the longest row of anonymous mappings that follow each other.
    /// </summary>
    internal static double OutsideHeap(IEnumerable<string> lines, double committed)
    {
        double all = 0;
        (double Length, double Resident) longest = default;
        (double Length, double Resident) row = default;
        ulong end = 0;
        foreach (string line in lines)
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (TryReadAddresses(fields[0], out ulong from, out ulong to))
            {
                bool anonymous = fields.Length == 5 && fields[4] == "0";
                double before = anonymous && from == end ? row.Length : 0;
                row = (before + (anonymous ? to - from : 0), before > 0 ? row.Resident : 0);
                end = anonymous ? to : 0;
            }
            else if (fields[0] == "Rss:")
            {
                all += Resident(line);
                row.Resident += Resident(line);
            }

            longest = row.Length >= longest.Length ? row : longest;
        }

        return longest.Length >= committed && longest.Length > 0
            ? all - longest.Resident
            : throw new ToolException($"smaps has no row of anonymous mappings for a heap of {committed} bytes.");
    }

    // "7f1c2c000000-7f1c2c021000 rw-p 00000000 00:00 0"; what follows a mapping are names that end in a colon.
    private static bool TryReadAddresses(string field, out ulong from, out ulong to)
    {
        string[] ends = field.Split('-');
        to = 0;
        return ulong.TryParse(ends[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out from)
            && ends.Length == 2
            && ulong.TryParse(ends[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out to);
    }

    private static string Name(MeasuredProcess process, string file) => string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Pid}/{file}");

    // "Rss:               12345 kB"
    private static double Resident(string line) =>
        double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
}
