using System.Xml.Linq;

namespace Trunkline.Tidy.Tests.Layers;

/// <summary>
/// Arrows point down only:
/// <code>
/// proxy  broker  loadtest  tools        programs
///   Hosting
///     Links | Broker | Directory        do not know each other
///       Sessions
///         Topics
///           Protocol     Transport      know nothing of ours
/// </code>
/// </summary>
public sealed class LayerTests
{
    private static readonly string[] Base = ["Protocol", "Topics", "Transport"];
    private static readonly string[] Middle = [.. Base, "Sessions"];

    // Who may reference whom; a new project in shared/ takes its place here and in docs/ARCHITECTURE.md.
    private static readonly (string Project, string[] Allowed)[] Table =
    [
        ("Protocol", []),
        ("Transport", []),
        ("Topics", ["Protocol"]),
        ("Sessions", Base),
        ("Directory", Middle),
        ("Broker", Middle),
        ("Links", Middle),
        ("Hosting", [.. Middle, "Directory", "Broker", "Links"]),
    ];

    [Fact]
    public void Shared_projects_reference_lower_layers_only() =>
        Finding.AssertNone(Repository.Files("shared", "*.csproj").SelectMany(Check));

    [Fact]
    public void Programs_reference_shared_projects_only() =>
        Finding.AssertNone(Repository.ProductFolders.Where(folder => folder != "shared")
            .SelectMany(folder => Repository.Files(folder, "*.csproj"))
            .SelectMany(file => References(file)
                .Where(reference => !reference.Target.StartsWith("shared/", StringComparison.Ordinal))
                .Select(reference => new Finding(file, reference.Line, $"A program references {reference.Target}: move what it needs into shared/."))));

    private static IEnumerable<Finding> Check(string file)
    {
        var project = Path.GetFileNameWithoutExtension(file);
        var row = Array.Find(Table, row => row.Project == project);
        if (row.Allowed is null)
        {
            return [new Finding(file, 0, $"{project} has no layer: give it one in LayerTests and in docs/ARCHITECTURE.md.")];
        }

        return References(file)
            .Where(reference => !row.Allowed.Contains(Path.GetFileNameWithoutExtension(reference.Target), StringComparer.Ordinal)
                || !reference.Target.StartsWith("shared/", StringComparison.Ordinal))
            .Select(reference => new Finding(file, reference.Line,
                $"{project} may reference only [{string.Join(", ", row.Allowed)}], not {reference.Target}: turn the arrow with an interface owned by {project}."));
    }

    private static IEnumerable<(string Target, int Line)> References(string file)
    {
        var folder = Path.GetDirectoryName(Repository.FullPath(file))!;
        return XDocument.Load(Repository.FullPath(file), LoadOptions.SetLineInfo).Descendants("ProjectReference").Select(reference =>
        {
            var include = reference.Attribute("Include")!.Value.Replace('\\', '/');
            var target = Path.GetRelativePath(Repository.Root, Path.GetFullPath(Path.Combine(folder, include))).Replace('\\', '/');
            return (target, ((System.Xml.IXmlLineInfo)reference).LineNumber);
        });
    }
}
