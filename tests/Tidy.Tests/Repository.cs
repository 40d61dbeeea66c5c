namespace Trunkline.Tidy.Tests;

/// <summary>Where the repository stands on disk and which of its files the tidy tests read. Immutable after start.</summary>
internal static class Repository
{
    private static readonly string[] SkippedFolders =
        [".git", ".vs", ".tier", "bin", "obj", "node_modules", "artifacts", "TestResults", "BenchmarkDotNet.Artifacts"];

    /// <summary>The folder of Proxy.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The build configuration these tests run in, so that the other test assemblies are read from the same one.</summary>
    public static string Configuration { get; } = FindConfiguration();

    /// <summary>The folders whose code ships.</summary>
    public static IReadOnlyList<string> ProductFolders { get; } = ["proxy", "broker", "shared", "loadtest", "tools"];

    public static string FullPath(string relative) => Path.Combine(Root, relative);

    /// <summary>All files below a folder of the repository, as paths relative to the root with forward slashes, sorted.</summary>
    public static IReadOnlyList<string> Files(string folder = ".", string pattern = "*")
    {
        var found = new List<string>();
        var start = Path.GetFullPath(Path.Combine(Root, folder));
        if (Directory.Exists(start))
        {
            Collect(start, pattern, found);
        }

        found.Sort(StringComparer.Ordinal);
        return found;
    }

    /// <summary>The C# files of the folders named.</summary>
    public static IReadOnlyList<string> CSharpFiles(params IReadOnlyList<string> folders) =>
        [.. folders.SelectMany(folder => Files(folder, "*.cs"))];

    /// <summary>The folder of the project a file belongs to: the nearest one above it that holds a project file.</summary>
    public static string ProjectFolder(string relative)
    {
        var folder = Path.GetDirectoryName(relative);
        while (!string.IsNullOrEmpty(folder))
        {
            if (Directory.EnumerateFiles(FullPath(folder), "*.csproj").Any())
            {
                return folder;
            }

            folder = Path.GetDirectoryName(folder);
        }

        return ".";
    }

    private static void Collect(string folder, string pattern, List<string> found)
    {
        foreach (var file in Directory.EnumerateFiles(folder, pattern))
        {
            found.Add(Path.GetRelativePath(Root, file).Replace('\\', '/'));
        }

        foreach (var child in Directory.EnumerateDirectories(folder))
        {
            if (!SkippedFolders.Contains(Path.GetFileName(child), StringComparer.Ordinal))
            {
                Collect(child, pattern, found);
            }
        }
    }

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Proxy.sln")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException($"No Proxy.sln above {AppContext.BaseDirectory}: run the tidy tests from the repository's build output.");
    }

    private static string FindConfiguration()
    {
        // .../tests/Tidy.Tests/bin/<configuration>/net10.0/
        var framework = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        return Path.GetFileName(Path.GetDirectoryName(framework)!);
    }
}
