using System.Text.RegularExpressions;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;

namespace Trunkline.SystemTests.Containers;

/// <summary>docker-compose.yml as docker-compose itself reads it, merges done.</summary>
public sealed partial class ComposeFile
{
    private readonly Dictionary<string, string> _services;

    private ComposeFile(Dictionary<string, string> services) => _services = services;

    /// <summary>Name of each service and its part of the normalized file.</summary>
    public IReadOnlyDictionary<string, string> Services => _services;

    public static async Task<ComposeFile> LoadAsync()
    {
        CommandResult result = await CommandRunner.RunAsync("docker-compose", "-f", Path.Combine(Repository.Root, "docker-compose.yml"), "config");
        string text = result.EnsureSuccess().Output.ReplaceLineEndings("\n");
        string services = text[text.IndexOf("\nservices:\n", StringComparison.Ordinal)..];
        Dictionary<string, string> found = [];
        foreach (Match match in Service().Matches(services))
        {
            found[match.Groups[1].Value] = match.Groups[2].Value;
        }

        return new ComposeFile(found);
    }

    /// <summary>The TRUNKLINE variables of a service.</summary>
    public IReadOnlyDictionary<string, string> Environment(string service) =>
        Variable().Matches(_services[service]).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value.Trim('\'', '"'));

    // A service is a name indented by two, and the lines below it that are indented further.
    [GeneratedRegex(@"^  ([\w-]+):\n((?:    .*\n)+)", RegexOptions.Multiline)]
    private static partial Regex Service();

    [GeneratedRegex(@"^      (TRUNKLINE__\w+): (.*)$", RegexOptions.Multiline)]
    private static partial Regex Variable();
}
