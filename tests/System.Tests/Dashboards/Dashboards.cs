using System.Text.Json;
using Trunkline.Tool;

namespace Trunkline.SystemTests.Dashboards;

/// <summary>A query of a dashboard.</summary>
public sealed record DashboardQuery(string Dashboard, string Panel, string Expression);

/// <summary>Reads every dashboard in docs/grafana.</summary>
public static class DashboardFiles
{
    public static IReadOnlyList<DashboardQuery> Queries() =>
    [
        .. Directory.GetFiles(Path.Combine(Repository.Root, "docs", "grafana", "dashboards"), "*.json").SelectMany(Read),
    ];

    private static IEnumerable<DashboardQuery> Read(string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(file));
        foreach (JsonElement panel in document.RootElement.GetProperty("panels").EnumerateArray())
        {
            if (!panel.TryGetProperty("targets", out JsonElement targets))
            {
                continue;
            }

            foreach (JsonElement target in targets.EnumerateArray())
            {
                yield return new DashboardQuery(
                    Path.GetFileName(file), panel.GetProperty("title").GetString()!, target.GetProperty("expr").GetString()!);
            }
        }
    }
}
