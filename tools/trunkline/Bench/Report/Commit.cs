using System.Diagnostics;

namespace Trunkline.Tool.Bench.Report;

/// <summary>Which source a table was measured from.</summary>
internal static class Commit
{
    /// <summary>The short commit, with a plus sign when files differ from it; empty outside of a checkout or without git.</summary>
    public static async Task<string> ReadAsync(CancellationToken cancellation)
    {
        string head = await GitAsync(["rev-parse", "--short", "HEAD"], cancellation);
        return head.Length > 0 && (await GitAsync(["status", "--porcelain", "--untracked-files=no"], cancellation)).Length > 0 ? head + "+" : head;
    }

    private static async Task<string> GitAsync(IEnumerable<string> arguments, CancellationToken cancellation)
    {
        ProcessStartInfo start = new("git", arguments)
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        try
        {
            using Process process = Process.Start(start)!;
            string output = await process.StandardOutput.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return process.ExitCode == 0 ? output.Trim() : "";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "";
        }
    }
}
