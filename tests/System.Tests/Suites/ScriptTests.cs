using System.Text.RegularExpressions;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;

namespace Trunkline.SystemTests.Suites;

/// <summary>./trunkline itself, from any folder, and what the repository promises beside it.</summary>
public sealed partial class ScriptTests
{
    [Fact]
    public async Task Version_is_printed()
    {
        CommandResult result = (await Tier.ToolAsync("--version")).EnsureSuccess();
        Assert.Matches(@"^trunkline \d+\.\d+\.\d+\n$", result.Output);
    }

    [Fact]
    public async Task Help_names_every_command_and_an_unknown_one_is_refused_with_it()
    {
        CommandResult help = (await Tier.ToolAsync("help")).EnsureSuccess();
        foreach (string command in new[] { "up", "check", "tier", "test", "--version" })
        {
            Assert.Matches($@"(?m)^  {command}\b", help.Output);
        }

        CommandResult unknown = await Tier.ToolAsync("upp");
        Assert.Equal(2, unknown.ExitCode);
        Assert.Contains("'upp' is not a command", unknown.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tier", "./trunkline tier needs one of up, down, status, start, stop.")]
    [InlineData("tier up --brokr x --proxies y", "'--brokr' is nothing that ./trunkline tier up knows. Did you mean --broker?|for option '--proxies'")]
    [InlineData("tier up --bas-port=7 rest", "Did you mean --base-port?|'rest' is nothing")]
    [InlineData("tier statu", "Did you mean status?")]
    [InlineData("tier stop", "'NAME' missing")]
    [InlineData("test --no-install --proyect X", "Did you mean --project?")]
    [InlineData("check host --devces 3", "Did you mean --devices?")]
    [InlineData("up --mqtt-prt 1884", "Did you mean --mqtt-port?")]
    public async Task A_wrong_command_line_is_told_with_the_nearest_right_one(string arguments, string sentences)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(sentences);
        string[] words = arguments.Split(' ');
        CommandResult result = await Tier.ToolAsync(words);
        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.All(sentences.Split('|'), sentence => Assert.Contains(sentence, result.Errors, StringComparison.Ordinal));
        Assert.DoesNotContain("'x'", result.Errors, StringComparison.Ordinal);
        if (words[0] != "up")
        {
            Assert.Matches(@"See \./trunkline [a-z ]+ --help\.\n$", result.Errors);
        }
    }

    [Theory]
    [InlineData("up --groups 3 --help", "./trunkline up ")]
    [InlineData("check -h", "./trunkline check ")]
    [InlineData("tier up --help", "./trunkline tier up [options]")]
    [InlineData("check host --help", "./trunkline check host [options]")]
    public async Task Help_names_commands_as_they_are_typed(string arguments, string usage)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        CommandResult help = (await Tier.ToolAsync(arguments.Split(' '))).EnsureSuccess();
        Assert.Contains(usage, help.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_dotnet_a_sentence_says_what_to_install()
    {
        // A PATH with the shell's own needs and nothing else.
        string folder = Tier.NewFolder();
        foreach (string program in new[] { "bash", "env", "dirname", "readlink" })
        {
            string real = new[] { "/usr/bin/", "/bin/" }.Select(place => place + program).First(File.Exists);
            File.CreateSymbolicLink(Path.Combine(folder, program), real);
        }

        CommandResult result = await CommandRunner.RunAsync(
            Eventually.Patience,
            start => start.Environment["PATH"] = folder,
            Path.Combine(Repository.Root, "trunkline"),
            "up");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("dotnet-sdk-10.0", result.Errors, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void The_npm_lock_holds_hashes_and_no_host()
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, "tests", "System.Tests", "npm", "package-lock.json"));
        Assert.DoesNotContain("\"resolved\"", text, StringComparison.Ordinal);
        Assert.True(Integrity().Count(text) > 10);
    }

    [GeneratedRegex("\"integrity\": \"sha512-")]
    private static partial Regex Integrity();
}
