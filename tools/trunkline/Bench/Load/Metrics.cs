using System.Globalization;

namespace Trunkline.Tool.Bench.Load;

/// <summary>One scrape of /metrics.</summary>
internal sealed class Metrics
{
    private readonly string[] _lines;

    private Metrics(string text) => _lines = text.Split('\n');

    /// <summary>Scrapes a management port of this machine.</summary>
    public static async Task<Metrics> ReadAsync(int managementPort, CancellationToken cancellation)
    {
        using HttpClient client = new();
        return Parse(await client.GetStringAsync(new Uri($"http://127.0.0.1:{managementPort}/metrics"), cancellation));
    }

    /// <summary>Takes a text in Prometheus' format.</summary>
    public static Metrics Parse(string text) => new(text);

    /// <summary>The sum of all series of a name whose labels hold every one of <paramref name="labels"/>; throws when there is none.</summary>
    public double Sum(string name, params IReadOnlyList<string> labels)
    {
        double? sum = null;
        foreach (string line in _lines)
        {
            int end = line.AsSpan().IndexOfAny(' ', '{');
            if (end > 0 && line[..end] == name && labels.All(label => line.Contains(label, StringComparison.Ordinal)))
            {
                sum = (sum ?? 0) + double.Parse(line.AsSpan(line.LastIndexOf(' ') + 1), CultureInfo.InvariantCulture);
            }
        }

        return sum ?? throw new ToolException($"/metrics has no {name}{(labels.Count > 0 ? $" with {string.Join(", ", labels)}" : "")}.");
    }
}
