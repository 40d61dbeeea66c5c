using System.Globalization;

namespace Trunkline.Tool.Nginx;

/// <summary>How many files a process may open here: nginx complains when it is promised more.</summary>
internal static class OpenFiles
{
    private const int Enough = 65536;

    /// <summary>The hard limit of this process, at most what a tier on one machine can use.</summary>
    public static int Limit()
    {
        // "Max open files            20000                20000                files"
        string? line = File.ReadLines("/proc/self/limits").FirstOrDefault(text => text.StartsWith("Max open files", StringComparison.Ordinal));
        string? hard = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];
        return int.TryParse(hard, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) ? Math.Min(limit, Enough) : Enough;
    }
}
