namespace Trunkline.SystemTests.Infrastructure;

/// <summary>A theory that needs programs of the machine. Where one is missing it is skipped, and says which.</summary>
public sealed class ProgramsTheoryAttribute : TheoryAttribute
{
    public ProgramsTheoryAttribute(params string[] programs)
    {
        ArgumentNullException.ThrowIfNull(programs);
        Skip = ProgramsFactAttribute.Missing(programs);
    }
}
