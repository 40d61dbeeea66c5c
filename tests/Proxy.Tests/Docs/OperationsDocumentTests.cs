using System.Globalization;
using System.Text.RegularExpressions;
using Trunkline.BrokerProcess;
using Trunkline.Proxy;

namespace Trunkline.ProxyTests.Docs;

/// <summary>docs/OPERATIONS.md names options and log events that exist, and every log event.</summary>
public sealed partial class OperationsDocumentTests
{
    [Fact]
    public void Every_option_with_a_limit_exists()
    {
        HashSet<string> keys = [.. OptionKeys.Of(new ProxyOptions()).Keys, .. OptionKeys.Of(new BrokerProcessOptions()).Keys];
        string[] named = [.. DocumentTable.Rows("OPERATIONS.md").Where(row => row.Chapter == "Limits")
            .SelectMany(row => row.Name.Split(',')).Select(name => name.Trim(' ', '`'))];

        Assert.NotEmpty(named);
        Assert.All(named, name => Assert.Contains(name, keys));
    }

    [Fact]
    public void Every_log_event_is_listed_with_its_words_both_ways()
    {
        string page = File.ReadAllText(Path.Combine(DocumentTable.Root, "docs", "OPERATIONS.md"));
        var listed = Row().Matches(page).Select(row => $"{row.Groups[1].Value} {row.Groups[2].Value} {row.Groups[3].Value}");
        Assert.Equal(Events().Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Events()
    {
        foreach (string folder in new[] { "shared", "proxy", "broker" })
        {
            foreach (string file in System.IO.Directory.EnumerateFiles(Path.Combine(DocumentTable.Root, folder), "*.cs", SearchOption.AllDirectories))
            {
                string relative = Path.GetRelativePath(DocumentTable.Root, file).Replace('\\', '/');
                if (relative.Contains("/obj/", StringComparison.Ordinal) || relative.Contains("/bin/", StringComparison.Ordinal))
                {
                    continue;
                }

                string project = relative.Split('/')[folder == "shared" ? 1 : 0];
                foreach (Match match in Message().Matches(File.ReadAllText(file)))
                {
                    string text = match.Groups["text"].Value.Replace("\\\"", "\"", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal);
                    yield return string.Create(CultureInfo.InvariantCulture, $"{match.Groups["id"].Value} {project} {text}");
                }
            }
        }
    }

    [GeneratedRegex("\\[LoggerMessage\\((?:EventId = )?(?<id>\\d+)[^\"]*\"(?<text>(?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex Message();

    [GeneratedRegex("(?m)^\\| (\\d{4}) (\\w+) \\| [A-Za-z ]+ \\| (.*) \\|$")]
    private static partial Regex Row();
}
