using System.Globalization;
using System.Text.RegularExpressions;

namespace Trunkline.Tidy.Tests.Source;

/// <summary>Event ids are contracts with whoever alerts on them: written out, and one event each within a project.</summary>
public sealed partial class EventIdTests
{
    [Fact]
    public void Event_ids_are_written_out_and_unique_in_their_project() =>
        Finding.AssertNone(Repository.CSharpFiles(Repository.ProductFolders)
            .GroupBy(Repository.ProjectFolder, StringComparer.Ordinal)
            .SelectMany(project => Check(project.Select(file => (file, SourceText.CodeOfFile(file))))));

    [Fact]
    public void Duplicates_and_missing_ids_are_seen()
    {
        var findings = Check(
        [
            ("a.cs", "[LoggerMessage(1, LogLevel.Warning, \"\")]\n[LoggerMessage(EventId = 2, Level = LogLevel.Warning)]"),
            ("b.cs", "[LoggerMessage(Level = LogLevel.Warning, EventId = 1)]\n[LoggerMessage(LogLevel.Warning, \"\")]"),
        ]).ToList();
        Assert.Equal(["b.cs:1", "b.cs:2"], findings.Select(finding => $"{finding.Path}:{finding.Line}"));
    }

    private static IEnumerable<Finding> Check(IEnumerable<(string File, string Code)> project)
    {
        var seen = new Dictionary<int, string>();
        foreach (var (file, code) in project)
        {
            foreach (Match message in Message().Matches(code))
            {
                var line = SourceText.LineOf(code, message.Index);
                var id = Id().Match(message.Groups["arguments"].Value);
                if (!id.Success)
                {
                    yield return new Finding(file, line, "Write the event id as a number: generated ids change when the code does.");
                    continue;
                }

                var number = int.Parse(id.Groups["id"].Value, CultureInfo.InvariantCulture);
                if (!seen.TryAdd(number, $"{file}:{line}"))
                {
                    yield return new Finding(file, line, $"Event id {number} is taken by {seen[number]}: give this event the next free number.");
                }
            }
        }
    }

    [GeneratedRegex(@"\[LoggerMessage\((?<arguments>[^\]]*)\)\s*\]")]
    private static partial Regex Message();

    [GeneratedRegex(@"^\s*(?<id>\d+)|\bEventId\s*=\s*(?<id>\d+)|^\s*eventId:\s*(?<id>\d+)")]
    private static partial Regex Id();
}
