using Trunkline.Clauses;

namespace Trunkline.Tidy.Tests.Conformance;

/// <summary>One identifier that one test claims to hold.</summary>
/// <param name="Specification">The specification named.</param>
/// <param name="Identifier">The statement named.</param>
/// <param name="Project">The folder of the test project, e.g. Protocol.Tests.</param>
/// <param name="Name">Class.Method, or the class alone when the attribute stands on it.</param>
/// <param name="Runs">False when it is on no test, or on one that is skipped.</param>
internal sealed record ClauseUse(Specification Specification, string Identifier, string Project, string Name, bool Runs)
{
    /// <summary>The test as the register writes it.</summary>
    public string Test => $"{Project} {Name}";
}
