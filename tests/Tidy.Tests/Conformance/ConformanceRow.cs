using Trunkline.Clauses;

namespace Trunkline.Tidy.Tests.Conformance;

/// <summary>One statement of the register.</summary>
/// <param name="Line">Line in the document, from 1.</param>
/// <param name="Specification">The section it stands in.</param>
/// <param name="Identifier">E.g. MQTT-3.1.0-1.</param>
/// <param name="Words">The statement in our own words.</param>
/// <param name="Tests">The tests that hold it, as <see cref="ClauseUse.Test"/> writes them.</param>
/// <param name="NotApplicable">Why it cannot apply to us, with the leading n/a; null for a statement that needs tests.</param>
internal sealed record ConformanceRow(
    int Line, Specification Specification, string Identifier, string Words, IReadOnlyList<string> Tests, string? NotApplicable)
{
    /// <summary>The numbers of the identifier, by which rows are ordered.</summary>
    public int[] Order { get; } = [.. Identifier["MQTT-".Length..].Split('.', '-').Select(int.Parse)];

    /// <summary>The row as it stands in the document.</summary>
    public string Format()
    {
        var last = NotApplicable ?? string.Join("<br>", Tests);
        return last.Length == 0 ? $"| {Identifier} | {Words} | |" : $"| {Identifier} | {Words} | {last} |";
    }

    /// <summary>Whether this row stands before another of the same section.</summary>
    public bool Precedes(ConformanceRow next) =>
        Order.Zip(next.Order, (mine, theirs) => mine.CompareTo(theirs)).FirstOrDefault(order => order != 0) < 0;
}
