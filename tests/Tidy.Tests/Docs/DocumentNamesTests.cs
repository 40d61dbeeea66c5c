using System.Text.RegularExpressions;

namespace Trunkline.Tidy.Tests.Docs;

/// <summary>What a page for newcomers names in backticks exists: a page that names what is gone costs more than none.</summary>
public sealed partial class DocumentNamesTests
{
    private static readonly string[] Pages = ["README.md", "docs/ARCHITECTURE.md", ConformancePage];

    private const string ConformancePage = "docs/CONFORMANCE.md";

    private static readonly string[] FileEndings =
        [".cs", ".csproj", ".sln", ".md", ".sh", ".json", ".yml", ".yaml", ".props", ".conf", ".txt", ".lua"];

    [Fact]
    public void Files_and_types_named_exist()
    {
        var files = Repository.Files();
        var words = files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal))
            .SelectMany(file => Word().Matches(SourceCode(file)).Select(match => match.Value))
            .ToHashSet(StringComparer.Ordinal);
        Finding.AssertNone(Pages.Where(files.Contains).SelectMany(page =>
            Names(File.ReadAllLines(Repository.FullPath(page)))
                .Where(name => IsPath(name.Text) ? !PathExists(page, name.Text) : IsType(name.Text) && !Known(words, name.Text))
                .Select(name => new Finding(page, name.Line, $"`{name.Text}` does not exist: correct the name, or take it out of backticks if it is none of ours."))));
    }

    [Theory]
    [InlineData("shared/Protocol/Frame.cs", true, false)]
    [InlineData("docs/adr/", true, false)]
    [InlineData("SubscriptionIndex", false, true)]
    [InlineData("Session.Attach()", false, true)]
    [InlineData("kill -9", false, false)]
    [InlineData("$share/group/topic", false, false)]
    [InlineData("sensors/1/temperature", false, false)]
    [InlineData("/mqtt", false, false)]
    [InlineData("PUBLISH", false, false)]
    [InlineData("Log: redis", false, false)]
    [InlineData("Mosquitto", false, false)]
    public void Names_are_told_apart(string name, bool path, bool type) =>
        Assert.Equal((path, type), (IsPath(name), !IsPath(name) && IsType(name)));

    private static string SourceCode(string file) => Source.SourceText.CodeOfFile(file);

    // Backticks in running text; fenced blocks are commands and their output.
    private static IEnumerable<(int Line, string Text)> Names(string[] lines)
    {
        var fenced = false;
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                fenced = !fenced;
            }
            else if (!fenced)
            {
                foreach (Match match in Backticks().Matches(lines[i]))
                {
                    yield return (i + 1, match.Groups["name"].Value);
                }
            }
        }
    }

    // A path of ours begins with a folder of the repository or ends like a file; everything else may be a topic or an URL.
    private static bool IsPath(string name)
    {
        if (name.IndexOfAny([' ', '*', '<', '$', '{', ':', '=']) >= 0 || name.StartsWith('/'))
        {
            return false;
        }

        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return Array.Exists(FileEndings, ending => name.EndsWith(ending, StringComparison.Ordinal) && name.Length > ending.Length)
            || (slash > 0 && (name.StartsWith("docs/", StringComparison.Ordinal) || Directory.Exists(Repository.FullPath(name[..slash]))));
    }

    private static bool PathExists(string page, string name)
    {
        var beside = Path.Combine(Path.GetDirectoryName(page) ?? "", name);
        var isThere = new[] { name, beside }.Select(Repository.FullPath).Any(path => File.Exists(path) || Directory.Exists(path));
        return isThere || (!name.Contains('/', StringComparison.Ordinal) && Repository.Files(pattern: name).Count > 0);
    }

    private static bool IsType(string name) => TypeName().IsMatch(name);

    private static bool Known(HashSet<string> words, string name) =>
        Word().Matches(name).All(part => words.Contains(part.Value));

    [GeneratedRegex("`(?<name>[^`]+)`")]
    private static partial Regex Backticks();

    [GeneratedRegex(@"[A-Za-z_]\w*")]
    private static partial Regex Word();

    // Two humps or a dotted member: a single word such as a product's name is no type of ours for certain.
    [GeneratedRegex(@"^(?:[A-Z][a-z0-9]+[A-Z]\w*|[A-Z][a-z]\w*\.[A-Z]\w*)(?:\.[A-Z]\w*)*(?:<\w+>)?(?:\(\))?$")]
    private static partial Regex TypeName();
}
