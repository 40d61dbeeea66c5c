using Trunkline.Clauses;

namespace Trunkline.Tidy.Tests.Conformance;

public sealed class ConformanceDocumentTests
{
    private static readonly string[] Page =
    [
        "# Conformance",
        "## MQTT 3.1.1",
        "| statement | in our words | tests |",
        "|---|---|---|",
        "| MQTT-1.2.3-9 | Something. | |",
        "| MQTT-1.2.3-10 | Something else. | A.Tests B.C<br>A.Tests B.D |",
        "Statements: 2.",
        "## MQTT 5.0",
        "| MQTT-1.2.3-1 | It. | n/a: Because. |",
    ];

    [Fact]
    public void Reads_rows_sections_and_counts()
    {
        var page = ConformanceDocument.Parse(Page);
        Assert.Empty(page.Problems);
        Assert.Equal([5, 6, 9], page.Rows.Select(row => row.Line));
        Assert.Equal(["A.Tests B.C", "A.Tests B.D"], page.Rows[1].Tests);
        Assert.Equal("n/a: Because.", page.Rows[2].NotApplicable);
        Assert.Equal((7, 2), page.Stated[Specification.Mqtt311]);
        Assert.True(page.Rows[0].Precedes(page.Rows[1]));
        Assert.False(page.Rows[1].Precedes(page.Rows[0]));
    }

    [Fact]
    public void Writes_only_the_test_column_and_leaves_reasons()
    {
        var page = ConformanceDocument.Parse(Page);
        var expected = (string[])Page.Clone();
        expected[4] = "| MQTT-1.2.3-9 | Something. | X.Tests Y.Z |";
        expected[5] = "| MQTT-1.2.3-10 | Something else. | |";
        Assert.Equal(expected, page.WithTests(row => row.Identifier.EndsWith("-9", StringComparison.Ordinal) ? ["X.Tests Y.Z"] : []));
    }

    [Theory]
    [InlineData("| MQTT-1.2-1 | It. | |")]
    [InlineData("| MQTT-1.2.3-1 | No full stop | |")]
    [InlineData("| MQTT-1.2.3-1 | It. |")]
    [InlineData("|MQTT-1.2.3-1| It. | |")]
    [InlineData("| MQTT-1.2.3-1 | It. | n/a |")]
    [InlineData("| MQTT-1.2.3-1 | It. | some words |")]
    public void Reports_rows_that_are_not_well_formed(string row) =>
        Assert.Single(ConformanceDocument.Parse(["## MQTT 5.0", row]).Problems);

    [Fact]
    public void Reports_rows_outside_a_section() =>
        Assert.Single(ConformanceDocument.Parse(["| MQTT-1.2.3-1 | It. | |"]).Problems);
}
