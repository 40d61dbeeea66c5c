using System.Globalization;

namespace Trunkline.Tool.Host;

/// <summary>Reads what the kernel says, below a root: / on a machine, a folder in tests. What is missing is null, for kernels and containers differ.</summary>
internal sealed class HostFiles(string root)
{
    /// <summary>The text of a file without the line end; null when it cannot be read.</summary>
    public string? Text(string path)
    {
        try
        {
            return File.ReadAllText(Path.Combine(root, path)).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The whole numbers of a file, apart by blanks; empty when there is none.</summary>
    public IReadOnlyList<long> Numbers(string path) =>
        [.. (Text(path) ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(Number).OfType<long>()];

    /// <summary>The first number of a file.</summary>
    public long? First(string path) => Numbers(path) is [long first, ..] ? first : null;

    /// <summary>The words after a name at the beginning of a line.</summary>
    public IReadOnlyList<string> Field(string path, string name)
    {
        string? line = Text(path)?.Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is null ? [] : line[name.Length..].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A number of the kernel; "unlimited" and "max" are the largest there is; more than fits counts as that, too.</summary>
    public static long? Number(string text) => text switch
    {
        "unlimited" or "max" => long.MaxValue,
        _ when ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) => (long)Math.Min(value, long.MaxValue),
        _ => null,
    };
}
