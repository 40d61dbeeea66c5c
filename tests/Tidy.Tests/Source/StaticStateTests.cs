using System.Text.RegularExpressions;

namespace Trunkline.Tidy.Tests.Source;

/// <summary>No mutable statics: state that no test can start afresh and no second node in a process can have of its own.</summary>
public sealed partial class StaticStateTests
{
    [Fact]
    public void Product_code_has_no_mutable_statics() =>
        Finding.AssertNone(Repository.CSharpFiles(Repository.ProductFolders)
            .SelectMany(file => Check(file, SourceText.CodeOfFile(file))));

    [Theory]
    [InlineData("private static int s_count;", 1)]
    [InlineData("    public static string? Name = null;", 1)]
    [InlineData("[ThreadStatic] private static byte[]? t_buffer;", 1)]
    [InlineData("internal static (int A, int B) Pair = (1, 2);", 1)]
    [InlineData("public static event Action? Changed;", 1)]
    [InlineData("public static int Depth { get; set; }", 1)]
    [InlineData("private static readonly Dictionary<string, int> Ids = [];", 1)]
    [InlineData("private static readonly ConcurrentQueue<int> Free = new();", 1)]
    [InlineData("private static readonly FrozenDictionary<string, int> Ids = Build();", 0)]
    [InlineData("private const int Count = 1;", 0)]
    [InlineData("public static int Depth { get; } = 1;", 0)]
    [InlineData("public static int Depth => 1;", 0)]
    [InlineData("public static int Add(int a, int b = 2) => a + b;", 0)]
    [InlineData("static int Local(int a) { return a; }", 0)]
    [InlineData("using static System.Math;", 0)]
    [InlineData("var f = items.Select(static x => x.Name);", 0)]
    [InlineData("public static partial class A;", 0)]
    [InlineData("private static partial Regex Name();", 0)]
    [InlineData("static abstract int Size { get; }", 0)]
    public void Mutable_statics_are_seen(string code, int expected) => Assert.Equal(expected, Check("a.cs", code).Count());

    private static IEnumerable<Finding> Check(string file, string code) =>
        Field().Matches(code).Concat(Settable().Matches(code)).Concat(Collection().Matches(code)).Select(match =>
            new Finding(file, SourceText.LineOf(code, match.Index + match.Value.Length - match.Value.TrimStart().Length),
                $"'{match.Value.Trim()}' is mutable static state: make it readonly and immutable, or a member of what is wired in Program.cs."));

    private const string Start =
        @"^[ \t]*(?:\[[^\]\n]*\][ \t]*)*(?:(?:public|private|protected|internal|new|unsafe|volatile)[ \t]+)*static[ \t]+(?:(?:unsafe|volatile|event)[ \t]+)*";

    private const string NoField = @"(?!(?:readonly|class|struct|record|interface|extern|abstract|partial|async|delegate|implicit|explicit|ref)\b)";

    private const string Type = @"(?:\([^()\n]*\)\??|[\w.]+(?:<[^=;()\n]*>)?)(?:\[[, ]*\]|\?|\*)*";

    [GeneratedRegex(Start + NoField + Type + @"[ \t]+@?\w+\s*(?:=(?![>=])|;|,)", RegexOptions.Multiline)]
    private static partial Regex Field();

    [GeneratedRegex(Start + NoField + Type + @"[ \t]+@?\w+\s*\{[^{}]*\bset\b", RegexOptions.Multiline)]
    private static partial Regex Settable();

    [GeneratedRegex(Start + @"readonly[ \t]+[\w.]*\b(?:Dictionary|SortedDictionary|List|SortedList|HashSet|SortedSet|Queue|Stack|PriorityQueue|LinkedList|Concurrent\w+|ConditionalWeakTable|StringBuilder|AsyncLocal|ThreadLocal)\b", RegexOptions.Multiline)]
    private static partial Regex Collection();
}
