using System.Reflection;

namespace Trunkline.Hosting.Configuration;

/// <summary>The version of a program, as <c>--version</c> prints it.</summary>
public static class ProgramVersion
{
    /// <summary>The informational version of an assembly without its commit.</summary>
    public static string Of(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
