using System.Text.RegularExpressions;
using System.Xml.Linq;
using Trunkline.Loadtest.Tests.Support;

namespace Trunkline.Loadtest.Tests.Report;

public sealed partial class ReportTests
{
    public static TheoryData<string> Pages => new(
        HtmlReport.Write(SampleReports.Pair()),
        HtmlReport.Compare(SampleReports.Pair(), SampleReports.Pair(1.5)));

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_page_needs_nothing_else_and_runs_nothing(string page)
    {
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<b>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http:", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("https:", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch(Outside(), page);
        Assert.StartsWith("<!DOCTYPE html>", page, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Plots_are_well_formed_and_hold_numbers_only(string page)
    {
        MatchCollection plots = Svg().Matches(page);
        Assert.True(plots.Count >= 5, $"{plots.Count} plots");
        foreach (Match plot in plots)
        {
            var svg = XElement.Parse(plot.Value);
            Assert.NotEmpty(svg.Descendants("polyline"));
            Assert.DoesNotContain("NaN", plot.Value, StringComparison.Ordinal);
            Assert.DoesNotContain("∞", plot.Value, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_report_survives_json()
    {
        RunReport report = SampleReports.Pair();
        RunReport read = ReportFiles.FromJson(ReportFiles.ToJson(report), "x");
        Assert.Equal(ReportFiles.ToJson(report), ReportFiles.ToJson(read));
        Assert.Throws<OptionException>(() => ReportFiles.FromJson("[]", "x"));
    }

    [Fact]
    public void Csv_has_a_line_a_sample_and_as_many_fields_in_each()
    {
        string[] lines = ReportFiles.ToCsv(SampleReports.Pair()).TrimEnd('\n').Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.All(lines, line => Assert.Equal(lines[0].Count(c => c == ','), line.Count(c => c == ',')));
    }

    [Fact]
    public void Comparison_tells_better_from_worse()
    {
        var figures = Comparison.Of(SampleReports.Pair(), SampleReports.Pair(1.5)).ToDictionary(figure => figure.Name);
        Assert.False(figures["p99"].IsBetter);
        Assert.Equal("+50%", figures["p99"].Change);
        Assert.False(figures["cpu.proxy"].IsBetter);
        Assert.Null(figures["rate"].IsBetter);
        Assert.True(Comparison.Of(SampleReports.Pair(1.5), SampleReports.Pair()).Single(figure => figure.Name == "p99").IsBetter);
    }

    [Fact]
    public async Task Compare_writes_a_page_and_refuses_what_is_no_report()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("loadtest-");
        try
        {
            string a = Path.Combine(folder.FullName, "a.json");
            string page = Path.Combine(folder.FullName, "c.html");
            await File.WriteAllTextAsync(a, ReportFiles.ToJson(SampleReports.Pair()));
            var command = new CompareCommand(TextWriter.Null, TextWriter.Null);
            Assert.Equal(ExitCodes.Success, await command.RunAsync([a, a, "--html", page]));
            Assert.True(File.Exists(page));
            await File.WriteAllTextAsync(a, "no");
            Assert.Equal(ExitCodes.Usage, await command.RunAsync([a, a]));
            Assert.Equal(ExitCodes.Usage, await command.RunAsync([a]));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_terminal_says_what_was_missed()
    {
        string text = TextReport.Write(SampleReports.Pair());
        Assert.Contains("kept   p99<5ms", text, StringComparison.Ordinal);
        Assert.Contains("MISSED lost=0", text, StringComparison.Ordinal);
    }

    [GeneratedRegex("(?i)\\b(?:src|href|xlink)\\s*=|url\\(|@import|\\bon\\w+\\s*=\\s*\"")]
    private static partial Regex Outside();

    [GeneratedRegex("<svg .*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Svg();
}
