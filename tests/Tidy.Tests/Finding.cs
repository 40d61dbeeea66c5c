namespace Trunkline.Tidy.Tests;

/// <summary>One place that breaks a rule, and what to do about it.</summary>
/// <param name="Path">Path relative to the repository.</param>
/// <param name="Line">Line, from 1; 0 where the file as a whole is meant.</param>
/// <param name="Advice">What to do.</param>
internal sealed record Finding(string Path, int Line, string Advice)
{
    private const int MostShown = 60;

    /// <summary>Fails the test with every finding as file:line and advice, the first of many only.</summary>
    public static void AssertNone(IEnumerable<Finding> findings)
    {
        var all = findings.ToList();
        if (all.Count == 0)
        {
            return;
        }

        var shown = all.Take(MostShown).Select(finding => $"{finding.Path}:{finding.Line} {finding.Advice}");
        var rest = all.Count > MostShown ? $"{Environment.NewLine}and {all.Count - MostShown} more" : "";
        Assert.Fail($"{all.Count} finding(s):{Environment.NewLine}{string.Join(Environment.NewLine, shown)}{rest}");
    }
}
