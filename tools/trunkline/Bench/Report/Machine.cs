using System.Runtime.InteropServices;

namespace Trunkline.Tool.Bench.Report;

/// <summary>The machine a table was measured on.</summary>
internal sealed record Machine
{
    /// <summary>The processor's name.</summary>
    public string Processor { get; init; } = "";

    /// <summary>Cores.</summary>
    public int Cores { get; init; }

    /// <summary>Memory in bytes.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Kernel.</summary>
    public string Kernel { get; init; } = "";

    /// <summary>.NET.</summary>
    public string Runtime { get; init; } = "";

    /// <summary>Reads it.</summary>
    public static Machine Read() => new()
    {
        Processor = Field("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString(),
        Cores = Environment.ProcessorCount,
        MemoryBytes = long.TryParse(Field("/proc/meminfo", "MemTotal")?.Split(' ')[0], out long kib) ? kib * 1024 : 0,
        Kernel = Environment.OSVersion.Version.ToString(),
        Runtime = RuntimeInformation.FrameworkDescription,
    };

    private static string? Field(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim();
}
