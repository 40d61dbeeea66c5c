using System.Reflection;

namespace Trunkline.Proxy;

/// <summary>The version of this build.</summary>
internal static class ProxyVersion
{
    /// <summary>As <c>--version</c> prints it.</summary>
    public static string Text { get; } =
        typeof(ProxyVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
