using Trunkline.Clauses;

namespace Trunkline.Tidy.Tests.Conformance;

/// <summary>docs/CONFORMANCE.md and the Clause attributes of all tests say the same.</summary>
public sealed class ConformanceTests(ConformanceRegister register) : IClassFixture<ConformanceRegister>
{
    private const string Path = ConformanceDocument.FilePath;

    private ConformanceDocument Document => register.Document;

    [Fact]
    public void Every_test_project_is_built() =>
        Finding.AssertNone(ConformanceRegister.Unbuilt.Select(project =>
            new Finding($"tests/{project}/{project}.csproj", 0, $"{ClauseScan.AssemblyPath(project)} is missing: build it, or 'dotnet test Proxy.sln'.")));

    [Fact]
    public void Every_row_is_well_formed_unique_and_in_order()
    {
        var findings = new List<Finding>(Document.Problems);
        foreach (var section in Document.Rows.GroupBy(row => row.Specification))
        {
            foreach (var (row, next) in section.Zip(section.Skip(1)))
            {
                if (row.Identifier == next.Identifier)
                {
                    findings.Add(new Finding(Path, next.Line, $"{next.Identifier} stands here twice: keep one row."));
                }
                else if (!row.Precedes(next))
                {
                    findings.Add(new Finding(Path, next.Line, $"{next.Identifier} belongs before {row.Identifier}."));
                }
            }
        }

        Finding.AssertNone(findings);
    }

    [Fact]
    public void Every_section_states_its_number_of_statements() =>
        Finding.AssertNone(Enum.GetValues<Specification>()
            .Select(specification => (specification, Rows: Document.Rows.Count(row => row.Specification == specification)))
            .Where(section => !Document.Stated.TryGetValue(section.specification, out var stated) || stated.Count != section.Rows)
            .Select(section => new Finding(Path, Document.Stated.GetValueOrDefault(section.specification).Line,
                $"The section of {section.specification} has {section.Rows} rows: end it with 'Statements: {section.Rows}.'.")));

    [Fact]
    public void Every_clause_names_a_statement_of_the_register()
    {
        var known = Document.Rows.Select(row => (row.Specification, row.Identifier)).ToHashSet();
        Finding.AssertNone(register.Uses.Where(use => !known.Contains((use.Specification, use.Identifier)))
            .Select(use => At(use, $"{use.Name} names {use.Identifier} of {use.Specification}, which {Path} does not have: correct the identifier or the specification.")));
    }

    [Fact]
    public void Every_clause_is_on_a_test_that_runs() =>
        Finding.AssertNone(register.Uses.Where(use => !use.Runs)
            .Select(use => At(use, $"{use.Name} claims {use.Identifier} but is no test, or is skipped: it holds nothing.")));

    [Fact]
    public void Test_column_equals_the_attributes() =>
        Finding.AssertNone(Document.Rows.Where(row => row.NotApplicable is null)
            .Select(row => (row, Attributes: register.TestsOf(row)))
            .Where(pair => !pair.row.Tests.SequenceEqual(pair.Attributes, StringComparer.Ordinal))
            .Select(pair => new Finding(Path, pair.row.Line,
                $"{pair.row.Identifier}: the attributes name [{string.Join(", ", pair.Attributes)}]: run 'TRUNKLINE_WRITE_CONFORMANCE=1 dotnet test tests/Tidy.Tests' and commit the page.")));

    [Fact]
    public void Every_row_has_tests_or_a_reason_and_never_both()
    {
        var empty = Document.Rows.Where(row => row.NotApplicable is null && row.Tests.Count == 0)
            .Select(row => new Finding(Path, row.Line, $"{row.Identifier} of {row.Specification} has no test: write one with [Clause], or give the reason as n/a."));
        var both = Document.Rows.Where(row => row.NotApplicable is not null && register.TestsOf(row).Count > 0)
            .Select(row => new Finding(Path, row.Line, $"{row.Identifier} is n/a but {register.TestsOf(row)[0]} holds it: empty the last column."));
        Finding.AssertNone(both.Concat(empty));
    }

    // Metadata has no lines; the sources of the project are searched for the identifier.
    private static Finding At(ClauseUse use, string advice)
    {
        foreach (var file in Repository.Files($"tests/{use.Project}", "*.cs"))
        {
            var lines = File.ReadAllLines(Repository.FullPath(file));
            var line = Array.FindIndex(lines, text => text.Contains($"\"{use.Identifier}\"", StringComparison.Ordinal));
            var mentions = Array.Exists(lines, text => text.Contains(use.Name.Split('.')[^1], StringComparison.Ordinal));
            if (line >= 0 && mentions)
            {
                return new Finding(file, line + 1, advice);
            }
        }

        return new Finding($"tests/{use.Project}", 0, advice);
    }
}
