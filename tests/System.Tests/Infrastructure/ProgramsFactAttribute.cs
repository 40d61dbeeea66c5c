namespace Trunkline.SystemTests.Infrastructure;

/// <summary>A test that needs programs of the machine. Where one is missing it is skipped, and says which.</summary>
public sealed class ProgramsFactAttribute : FactAttribute
{
    public ProgramsFactAttribute(params string[] programs)
    {
        ArgumentNullException.ThrowIfNull(programs);
        Skip = Missing(programs);
    }

    /// <summary>Why a test that needs these is skipped; null when all are there.</summary>
    internal static string? Missing(string[] programs)
    {
        string[] missing = [.. programs.Where(program => !Exists(program))];
        return missing.Length > 0 ? $"Not on this machine: {string.Join(", ", missing)}." : null;
    }

    private static bool Exists(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(':')
        .Concat(["/usr/local/sbin", "/usr/sbin", "/sbin"])
        .Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, program)));
}
