using System.Text.RegularExpressions;

namespace Trunkline.Tidy.Tests.Source;

/// <summary>
/// A checkout builds anywhere: it names the public package registries or none, never a mirror that one machine can
/// reach. A mirror belongs into that machine's own configuration.
/// </summary>
public sealed partial class RegistryHostTests
{
    private const int LargestFile = 1 << 20;

    private static readonly string[] PublicHosts =
    [
        "api.nuget.org", "nuget.org", "www.nuget.org", "registry.npmjs.org", "www.npmjs.com", "pypi.org", "files.pythonhosted.org",
        "proxy.golang.org", "sum.golang.org", "mcr.microsoft.com", "registry.terraform.io", "registry.hub.docker.com", "registry-1.docker.io",
    ];

    private static readonly string[] ClientConfigurations =
        ["nuget.config", ".npmrc", ".yarnrc", ".yarnrc.yml", "pip.conf"];

    [Fact]
    public void No_file_names_a_mirror_of_a_package_registry() =>
        Finding.AssertNone(Repository.Files()
            .Where(file => new FileInfo(Repository.FullPath(file)).Length <= LargestFile)
            .SelectMany(file => Check(file, File.ReadAllText(Repository.FullPath(file)))));

    [Theory]
    [InlineData("NuGet.config", "https://api.nuget.org/v3/index.json", 0)]
    [InlineData("NuGet.config", "http://10.0.0.5:8081/v3/index.json", 1)]
    [InlineData("README.md", "see https://docs.oasis-open.org/mqtt/", 0)]
    [InlineData("build.sh", "pip install -i https://pypi-cache.example.net/simple x", 1)]
    [InlineData("build.sh", "GOPROXY=https://artifactory.example.net/go", 1)]
    [InlineData("package-lock.json", "\"resolved\": \"http://cache.example.net/a.tgz\"", 1)]
    [InlineData("package-lock.json", "\"resolved\": \"https://registry.npmjs.org/a.tgz\", \"url\": \"https://example.net\"", 0)]
    [InlineData("a.bin", "\0https://nuget.example.net", 0)]
    public void Mirrors_are_seen(string file, string text, int expected) => Assert.Equal(expected, Check(file, text).Count());

    private static IEnumerable<Finding> Check(string file, string text)
    {
        // This page holds the examples above.
        if (text.Contains('\0', StringComparison.Ordinal) || file.EndsWith($"{nameof(RegistryHostTests)}.cs", StringComparison.Ordinal))
        {
            return [];
        }

        var everyHost = ClientConfigurations.Contains(Path.GetFileName(file), StringComparer.OrdinalIgnoreCase);
        return Url().Matches(text)
            .Where(match => !PublicHosts.Contains(match.Groups["host"].Value, StringComparer.OrdinalIgnoreCase))
            .Where(match => everyHost || match.Groups["resolved"].Success || RegistryName().IsMatch(match.Groups["host"].Value))
            .Select(match => new Finding(file, SourceText.LineOf(text, match.Index),
                $"'{match.Groups["host"].Value}' is no public registry: take it out; a mirror is configured on the machine that uses it."));
    }

    // A lock file names after "resolved" where a package came from, and other hosts elsewhere.
    [GeneratedRegex(@"(?<resolved>""?resolved""?:?\s+"")?https?://(?:[^/\s""'@]*@)?(?<host>[A-Za-z0-9.-]+)")]
    private static partial Regex Url();

    [GeneratedRegex("nuget|npm|pypi|goproxy|mirror|artifactory|nexus|jfrog|verdaccio|devpi|registry", RegexOptions.IgnoreCase)]
    private static partial Regex RegistryName();
}
