using System.ComponentModel;
using System.Diagnostics;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>A test that records system calls. Where strace is missing or may not trace it is skipped, and says so.</summary>
public sealed class StraceFactAttribute : FactAttribute
{
    public StraceFactAttribute() => Skip = Missing();

    internal static string? Missing()
    {
        try
        {
            using Process strace = Process.Start("strace", ["-o", "/dev/null", "true"]);
            strace.WaitForExit();
            return strace.ExitCode == 0 ? null : "No process can be traced here.";
        }
        catch (Win32Exception)
        {
            return "Not on this machine: strace.";
        }
    }
}

/// <summary>The same with data.</summary>
public sealed class StraceTheoryAttribute : TheoryAttribute
{
    public StraceTheoryAttribute() => Skip = StraceFactAttribute.Missing();
}
