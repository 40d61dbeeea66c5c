using System.Text.RegularExpressions;

namespace Trunkline.Tidy.Tests.Source;

/// <summary>What must not stand in our code. Patterns are written so that they do not match their own text.</summary>
public sealed partial class BannedTextTests
{
    private static readonly string[] CodePatterns =
        ["*.cs", "*.csproj", "*.props", "*.targets", "*.sh", "*.js", "*.yml", "*.yaml", "*.conf", "*.lua", "Dockerfile", "Makefile"];

    // The one place of a test project that may poll: it waits for a condition with a deadline, never for time to pass.
    private static readonly string[] WaitingHelpers = ["Eventually.cs"];

    [Fact]
    public void Nothing_is_left_for_later() =>
        Finding.AssertNone(CodePatterns.SelectMany(pattern => Repository.Files(pattern: pattern))
            .SelectMany(file => Matches(file, File.ReadAllText(Repository.FullPath(file)), LeftForLater(),
                "Do it now, or write down the decision in docs/adr and drop the marker.")));

    [Fact]
    public void Tests_do_not_wait_for_time_to_pass() =>
        Finding.AssertNone(Repository.Files("tests", "*.cs")
            .Where(file => !WaitingHelpers.Contains(Path.GetFileName(file), StringComparer.Ordinal))
            .SelectMany(file => Matches(file, SourceText.CodeOfFile(file), LiteralWait(),
                "Await the event, advance a fake TimeProvider, or poll with the helper Eventually: a fixed wait is slow or flaky.")));

    [Fact]
    public void No_async_method_returns_void() =>
        Finding.AssertNone(Repository.Files(pattern: "*.cs")
            .SelectMany(file => Matches(file, SourceText.CodeOfFile(file), AsyncVoid(),
                "Return a Task that its caller tracks: an exception here would end the process.")));

    [Fact]
    public void Servers_do_not_block_on_tasks() =>
        Finding.AssertNone(Repository.CSharpFiles("proxy", "broker", "shared")
            .SelectMany(file => BlockingCalls(file, SourceText.CodeOfFile(file))));

    [Theory]
    [InlineData("var a = task.Result;", 1)]
    [InlineData("task.Wait();", 1)]
    [InlineData("task.GetAwaiter().GetResult();", 1)]
    [InlineData("gate.Wait(0)", 0)]
    [InlineData("if (task.IsCompletedSuccessfully)\n{\n    return task.Result;\n}", 0)]
    [InlineData("reply.ResultCode", 0)]
    public void Blocking_calls_are_seen(string code, int expected) =>
        Assert.Equal(expected, BlockingCalls("a.cs", code).Count());

    [Theory]
    [InlineData("await Task.Delay(100);", 1)]
    [InlineData("await Task.Delay(TimeSpan.FromSeconds(1), token);", 1)]
    [InlineData("Thread.Sleep(wait);", 1)]
    [InlineData("await Task.Delay(Timeout.Infinite, token);", 0)]
    [InlineData("await Task.Delay(TimeSpan.FromSeconds(1), clock);", 0)]
    public void Literal_waits_are_seen(string code, int expected) =>
        Assert.Equal(expected, Matches("a.cs", code, LiteralWait(), "").Count());

    private static IEnumerable<Finding> Matches(string file, string text, Regex banned, string advice) =>
        banned.Matches(text).Select(match =>
            new Finding(file, SourceText.LineOf(text, match.Index), $"'{match.Value.Trim()}': {advice}"));

    // A result that was just seen to be there does not block: the question stands at most three lines above.
    private static IEnumerable<Finding> BlockingCalls(string file, string code)
    {
        var lines = code.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var match = BlockingCall().Match(lines[i]);
            var asked = lines.AsSpan(Math.Max(0, i - 3)..(i + 1)).ToArray()
                .Any(line => line.Contains("IsCompletedSuccessfully", StringComparison.Ordinal));
            if (match.Success && !asked)
            {
                yield return new Finding(file, i + 1, $"'{match.Value}': await it; a blocked thread stalls every connection of its loop.");
            }
        }
    }

    [GeneratedRegex(@"\bTO[D]O\b|\bFIX[M]E\b|\bHAC[K]\b|NotImplemented[E]xception")]
    private static partial Regex LeftForLater();

    [GeneratedRegex(@"\bTask\.Delay\(\s*(?:\d|TimeSpan\.(?!Zero)\w+\([^()]*\)\s*(?:\)|,(?!\s*(?:clock|time|_clock|_time)\w*\b)))|\bThread\.Sleep\(")]
    private static partial Regex LiteralWait();

    [GeneratedRegex(@"\basync\s+void\b")]
    private static partial Regex AsyncVoid();

    [GeneratedRegex(@"\.Result\b|\.Wait\((?!0\))|\.GetAwaiter\(\)\s*\.GetResult\(\)")]
    private static partial Regex BlockingCall();
}
