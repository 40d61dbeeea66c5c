namespace Trunkline.SystemTests.Infrastructure;

/// <summary>A test that needs programs of the machine. Where one is missing it is skipped, and says which.</summary>
public sealed class ProgramsFactAttribute : FactAttribute
{
    public ProgramsFactAttribute(params string[] programs)
    {
        ArgumentNullException.ThrowIfNull(programs);
        string[] missing = [.. programs.Where(program => !Exists(program))];
        if (missing.Length > 0)
        {
            Skip = $"Not on this machine: {string.Join(", ", missing)}.";
        }
    }

    private static bool Exists(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(':')
        .Concat(["/usr/local/sbin", "/usr/sbin", "/sbin"])
        .Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, program)));
}
