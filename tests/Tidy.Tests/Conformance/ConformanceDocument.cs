using System.Globalization;
using System.Text.RegularExpressions;
using Trunkline.Clauses;

namespace Trunkline.Tidy.Tests.Conformance;

/// <summary>
/// docs/CONFORMANCE.md, read line by line: two sections, in each the rows
/// <c>| MQTT-3.1.0-1 | our words | tests joined by br, or n/a and why, or nothing |</c>, and the number of statements at
/// the end. What is no row (titles, prose, table heads) is kept as it is.
/// </summary>
internal sealed partial class ConformanceDocument
{
    public const string FilePath = "docs/CONFORMANCE.md";

    private readonly string[] _lines;
    private readonly List<ConformanceRow> _rows = [];
    private readonly List<Finding> _problems = [];
    private readonly Dictionary<Specification, (int Line, int Count)> _stated = [];

    private ConformanceDocument(string[] lines) => _lines = lines;

    public IReadOnlyList<ConformanceRow> Rows => _rows;

    /// <summary>What is not formed as it must be.</summary>
    public IReadOnlyList<Finding> Problems => _problems;

    /// <summary>The number of statements each section says it has, and where.</summary>
    public IReadOnlyDictionary<Specification, (int Line, int Count)> Stated => _stated;

    public static ConformanceDocument Read() => Parse(File.ReadAllLines(Repository.FullPath(FilePath)));

    public static ConformanceDocument Parse(string[] lines)
    {
        var document = new ConformanceDocument(lines);
        Specification? section = null;
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith("## ", StringComparison.Ordinal))
            {
                section = lines[i] switch
                {
                    "## MQTT 3.1.1" => Specification.Mqtt311,
                    "## MQTT 5.0" => Specification.Mqtt50,
                    _ => null,
                };
            }
            else
            {
                document.ParseLine(i + 1, lines[i], section);
            }
        }

        return document;
    }

    /// <summary>The lines of the document with the test column taken from <paramref name="tests"/>; n/a rows stay.</summary>
    public IReadOnlyList<string> WithTests(Func<ConformanceRow, IReadOnlyList<string>> tests)
    {
        var lines = (string[])_lines.Clone();
        foreach (var row in _rows.Where(row => row.NotApplicable is null))
        {
            lines[row.Line - 1] = (row with { Tests = tests(row) }).Format();
        }

        return lines;
    }

    private void ParseLine(int number, string line, Specification? section)
    {
        if (Count().Match(line) is { Success: true } count && section is { } counted)
        {
            _stated[counted] = (number, int.Parse(count.Groups["count"].Value, CultureInfo.InvariantCulture));
            return;
        }

        if (!line.Contains("| MQTT-", StringComparison.Ordinal) && !line.StartsWith("|MQTT", StringComparison.Ordinal))
        {
            return;
        }

        var match = Row().Match(line);
        if (!match.Success)
        {
            Report(number, "Write the row as '| MQTT-1.2.3-4 | Our words. | |', the last column empty, tests joined by <br>, or 'n/a: why.'.");
        }
        else if (section is not { } specification)
        {
            Report(number, "Move the row below '## MQTT 3.1.1' or '## MQTT 5.0'.");
        }
        else
        {
            Add(number, specification, match);
        }
    }

    private void Add(int number, Specification specification, Match match)
    {
        var last = match.Groups["last"].Value;
        var notApplicable = last.StartsWith("n/a", StringComparison.Ordinal);
        if (notApplicable && !(last.StartsWith("n/a: ", StringComparison.Ordinal) && last.EndsWith('.')))
        {
            Report(number, "Give the reason as 'n/a: one sentence why.'.");
        }

        var tests = notApplicable || last.Length == 0 ? [] : last.Split("<br>");
        if (tests.FirstOrDefault(test => !Test().IsMatch(test)) is { } odd)
        {
            Report(number, $"'{odd}' is no test: let TRUNKLINE_WRITE_CONFORMANCE=1 write this column.");
        }

        _rows.Add(new ConformanceRow(number, specification, match.Groups["id"].Value, match.Groups["words"].Value, tests,
            notApplicable ? last : null));
    }

    private void Report(int line, string advice) => _problems.Add(new Finding(FilePath, line, advice));

    [GeneratedRegex(@"^\| (?<id>MQTT-\d+\.\d+\.\d+-\d+) \| (?<words>[^| ][^|]*\.) \| (?:(?<last>[^| ][^|]*[^| ]) )?\|$")]
    private static partial Regex Row();

    [GeneratedRegex(@"^Statements: (?<count>\d+)\.$")]
    private static partial Regex Count();

    [GeneratedRegex(@"^\w+\.Tests [\w.]+$")]
    private static partial Regex Test();
}
