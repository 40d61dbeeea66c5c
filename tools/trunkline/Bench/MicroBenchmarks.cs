using System.Diagnostics;
using Trunkline.Tool.Parts;

namespace Trunkline.Tool.Bench;

/// <summary>The BenchmarkDotNet project in tests/Benchmarks, which ./trunkline builds for a bench.</summary>
internal static class MicroBenchmarks
{
    /// <summary>Runs those whose name holds the filter, all without one. Reports are written below artifacts.</summary>
    public static async Task<int> RunAsync(string? filter, CancellationToken cancellation)
    {
        ProcessStartInfo start = new(Programs.Own(Repository.BenchmarksProgram), filter is null ? [] : [filter])
        {
            WorkingDirectory = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "benchmarks")).FullName,
            UseShellExecute = false,
        };
        using Process process = Process.Start(start) ?? throw new ToolException("The benchmarks could not be started.");
        try
        {
            await process.WaitForExitAsync(cancellation);
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }
}
