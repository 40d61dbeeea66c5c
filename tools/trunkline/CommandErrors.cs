using System.CommandLine;
using System.CommandLine.Parsing;
using Trunkline.Hosting.Configuration;

namespace Trunkline.Tool;

/// <summary>What is wrong with a command line, as sentences that name the nearest thing there is and where to read on.</summary>
internal static class CommandErrors
{
    public static IReadOnlyList<string> Of(ParseResult parsed)
    {
        List<Command> path = PathOf(parsed);
        string called = string.Join(' ', path.Select(command => command.Name));
        if (path[^1].Subcommands.Count > 0 && parsed.UnmatchedTokens.Count == 0)
        {
            return [$"{called} needs one of {Names(path[^1])}. See {called} --help."];
        }

        // What the library says of a word that it does not know says no more than that; ours names what was meant.
        var errors = new List<string>();
        string[] known = [.. path.SelectMany((command, at) => Options(command, isLast: at == path.Count - 1)), .. path[^1].Subcommands.Select(command => command.Name)];
        bool wasOption = false;
        foreach (string token in parsed.UnmatchedTokens)
        {
            bool isOption = token.StartsWith('-');
            if (isOption || !wasOption)
            {
                string word = token.Split('=')[0];
                errors.Add($"'{word}' is nothing that {called} knows." + (NearestName.Of(word, known) is { } nearest ? $" Did you mean {nearest}?" : ""));
            }

            // Its value is no second error.
            wasOption = isOption && !token.Contains('=', StringComparison.Ordinal);
        }

        errors.AddRange(parsed.Errors.Select(error => error.Message).Where(message => errors.Count == 0 || !IsAboutWords(message)));
        errors.Add($"See {called} --help.");
        return errors;
    }

    private static bool IsAboutWords(string message) =>
        message.StartsWith("Unrecognized", StringComparison.Ordinal) || message.StartsWith("Required command", StringComparison.Ordinal);

    private static List<Command> PathOf(ParseResult parsed)
    {
        var path = new List<Command>();
        for (SymbolResult? at = parsed.CommandResult; at is not null; at = at.Parent)
        {
            if (at is CommandResult command)
            {
                path.Insert(0, command.Command);
            }
        }

        return path;
    }

    /// <summary>A command's options; of those above the last only what they hand down.</summary>
    private static IEnumerable<string> Options(Command command, bool isLast) =>
        command.Options.Where(option => isLast || option.Recursive).Select(option => option.Name);

    private static string Names(Command command) => string.Join(", ", command.Subcommands.Select(sub => sub.Name));
}
