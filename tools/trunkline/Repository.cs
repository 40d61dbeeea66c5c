namespace Trunkline.Tool;

/// <summary>Where the repository and the programs built from it are.</summary>
internal static class Repository
{
    private const string Configuration = "Release";
    private const string Framework = "net10.0";

    /// <summary>The folder of Proxy.sln: ./trunkline names it; otherwise it is looked for above this program.</summary>
    public static string Root { get; } = Find();

    public static string ProxyProgram => Path.Combine(Root, "proxy", "bin", Configuration, Framework, "trunkline-proxy");

    public static string BrokerProgram => Path.Combine(Root, "broker", "bin", Configuration, Framework, "trunkline-broker");

    public static string LoadtestProgram => Path.Combine(Root, "loadtest", "bin", Configuration, Framework, "trunkline-loadtest");

    public static string BenchmarksProgram => Path.Combine(Root, "tests", "Benchmarks", "bin", Configuration, Framework, "trunkline-benchmarks");

    public static string ToolProgram => Path.Combine(Root, "tools", "trunkline", "bin", Configuration, Framework, "trunkline-tool");

    public static string NginxConfiguration => Path.Combine(Root, "nginx", "nginx.conf");

    /// <summary>The built assembly of a test project.</summary>
    public static string TestAssembly(string projectFile) =>
        Path.Combine(
            Path.GetDirectoryName(projectFile)!,
            "bin",
            Configuration,
            Framework,
            "Trunkline." + Path.GetFileNameWithoutExtension(projectFile) + ".dll");

    private static string Find()
    {
        string? named = Environment.GetEnvironmentVariable("TRUNKLINE_ROOT");
        if (!string.IsNullOrEmpty(named))
        {
            return named;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Proxy.sln")))
            {
                return folder.FullName;
            }
        }

        throw new ToolException("No Proxy.sln above this program: start it through ./trunkline.");
    }
}
