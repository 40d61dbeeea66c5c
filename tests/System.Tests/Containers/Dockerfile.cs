using System.Text.Json;
using System.Text.RegularExpressions;

namespace Trunkline.SystemTests.Containers;

/// <summary>One line of a Dockerfile: INSTRUCTION and what follows.</summary>
public sealed record DockerInstruction(string Name, string Text)
{
    /// <summary>The words of the JSON form: ["a", "b"].</summary>
    public IReadOnlyList<string> Words => JsonSerializer.Deserialize<string[]>(Text)!;
}

/// <summary>A stage: FROM and everything until the next one.</summary>
public sealed record DockerStage(string? Name, IReadOnlyList<DockerInstruction> Instructions)
{
    public DockerInstruction? Last(string name) => Instructions.LastOrDefault(instruction => instruction.Name == name);
}

/// <summary>Reads the Dockerfiles of this repository: comments, continued lines, stages.</summary>
public static partial class Dockerfile
{
    public static IReadOnlyList<DockerStage> Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string joined = Comment().Replace(text, string.Empty).Replace("\\\n", " ", StringComparison.Ordinal);
        List<DockerStage> stages = [];
        List<DockerInstruction> instructions = [];
        foreach (string line in joined.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            DockerInstruction instruction = new(line[..space], line[(space + 1)..].Trim());
            if (instruction.Name == "FROM")
            {
                Match named = StageName().Match(instruction.Text);
                instructions = [];
                stages.Add(new DockerStage(named.Success ? named.Groups[1].Value : null, instructions));
            }

            instructions.Add(instruction);
        }

        return stages;
    }

    [GeneratedRegex("^#.*\n", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\sAS\s+(\S+)$")]
    private static partial Regex StageName();
}
