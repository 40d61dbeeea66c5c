namespace Trunkline.Tidy.Tests.Conformance;

/// <summary>
/// The document and the attributes side by side, read once for all conformance tests. With
/// TRUNKLINE_WRITE_CONFORMANCE=1 the test column is first written from the attributes.
/// </summary>
public sealed class ConformanceRegister
{
    public ConformanceRegister()
    {
        Uses = ClauseScan.ReadAll();
        Document = ConformanceDocument.Read();
        if (Environment.GetEnvironmentVariable("TRUNKLINE_WRITE_CONFORMANCE") == "1" && Unbuilt.Count == 0)
        {
            File.WriteAllText(Repository.FullPath(ConformanceDocument.FilePath), string.Join('\n', Document.WithTests(TestsOf)) + "\n");
            Document = ConformanceDocument.Read();
        }
    }

    internal ConformanceDocument Document { get; }

    internal IReadOnlyList<ClauseUse> Uses { get; }

    /// <summary>Test projects whose assembly is not there: without them the register would lose their tests.</summary>
    internal static IReadOnlyList<string> Unbuilt { get; } =
        [.. ClauseScan.Projects.Where(project => !File.Exists(Repository.FullPath(ClauseScan.AssemblyPath(project))))];

    /// <summary>The running tests that name a statement, sorted; a skipped one holds nothing.</summary>
    internal IReadOnlyList<string> TestsOf(ConformanceRow row) =>
        [.. Uses.Where(use => use.Runs && use.Specification == row.Specification && use.Identifier == row.Identifier)
            .Select(use => use.Test).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
