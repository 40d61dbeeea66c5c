using System.Text.RegularExpressions;

namespace Trunkline.Tool.Nginx;

/// <summary>
/// Replaces the marked values of an nginx configuration that is valid as it stands. A marked line is
/// <code>
///     listen 1883 backlog=4096;  # site: mqtt
/// </code>
/// and its value is what stands between the directive's name and the next space or semicolon. A marker with no value
/// drops its line, one with several repeats it; adjacent lines of one marker are one list.
/// </summary>
internal static partial class NginxTemplate
{
    /// <summary>Renders; every marker must have an entry and every entry a marker, so that neither goes stale.</summary>
    public static string Render(string text, IReadOnlyDictionary<string, IReadOnlyList<string>> values)
    {
        HashSet<string> unused = [.. values.Keys];
        List<string> lines = [];
        string? previous = null;
        foreach (string line in text.Split('\n'))
        {
            Match match = MarkedLine().Match(line);
            string? marker = match.Success ? match.Groups["marker"].Value : null;
            bool continuesList = marker is not null && marker == previous;
            previous = marker;
            if (marker is null)
            {
                lines.Add(line);
                continue;
            }

            if (continuesList)
            {
                continue;
            }

            if (!values.TryGetValue(marker, out IReadOnlyList<string>? replacements))
            {
                throw new InvalidOperationException($"nginx.conf has a marker without a value: {marker}.");
            }

            unused.Remove(marker);
            lines.AddRange(replacements.Select(value => match.Groups["before"].Value + value + match.Groups["after"].Value));
        }

        return unused.Count == 0
            ? string.Join('\n', lines)
            : throw new InvalidOperationException($"nginx.conf lacks the markers {string.Join(", ", unused)}.");
    }

    [GeneratedRegex(@"^(?<before>\s*\w+\s+)(?<value>[^\s;]+)(?<after>[^#]*?)\s*# site: (?<marker>[\w-]+)$")]
    private static partial Regex MarkedLine();
}
