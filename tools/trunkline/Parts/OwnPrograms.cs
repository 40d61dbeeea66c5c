using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trunkline.Tool.Parts;

/// <summary>What the proxy's and the broker's part have in common: settings as docs/CONFIGURATION.md names them.</summary>
internal static class OwnPrograms
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    /// <summary>Writes the settings, with the overrides laid into them, and makes the command that starts the program.</summary>
    /// <remarks>
    /// Overrides go into the file, not on the command line: there, one item of a list would take the place of the whole
    /// list (docs/CONFIGURATION.md), and a tier's overrides mean the one key they name.
    /// </remarks>
    public static IReadOnlyList<string> Command(string program, string folder, object settings, IEnumerable<string> overrides)
    {
        string file = Path.Combine(folder, "trunkline.json");
        JsonNode root = JsonSerializer.SerializeToNode(settings, Readable)!;
        foreach (string setting in overrides)
        {
            int equals = setting.IndexOf('=', StringComparison.Ordinal);
            Set(root, setting[..equals].Split(':'), setting[(equals + 1)..]);
        }

        File.WriteAllText(file, root.ToJsonString(Readable) + "\n");
        return [Programs.Own(program), "--config", file];
    }

    /// <summary>Sets the value at a path; sections and list items that are not there yet are made.</summary>
    private static void Set(JsonNode node, ReadOnlySpan<string> path, string value)
    {
        if (node is JsonArray list && int.TryParse(path[0], CultureInfo.InvariantCulture, out int index))
        {
            while (list.Count <= index)
            {
                list.Add(null);
            }

            list[index] = path.Length == 1 ? value : Child(list[index], path[1]);
            if (path.Length > 1)
            {
                Set(list[index]!, path[1..], value);
            }
        }
        else if (node is JsonObject section)
        {
            string wanted = path[0];
            string name = section.Select(item => item.Key).FirstOrDefault(key => key.Equals(wanted, StringComparison.OrdinalIgnoreCase)) ?? wanted;
            section[name] = path.Length == 1 ? value : Child(section[name], path[1]);
            if (path.Length > 1)
            {
                Set(section[name]!, path[1..], value);
            }
        }
        else
        {
            throw new ToolException($"The setting {string.Join(':', path.ToArray())} does not fit the tier's settings: a value stands there, not a section.");
        }
    }

    private static JsonNode Child(JsonNode? present, string next) =>
        present?.DeepClone() ?? (int.TryParse(next, CultureInfo.InvariantCulture, out _) ? new JsonArray() : new JsonObject());

    public static string Loopback(int port) => FormattableString.Invariant($"127.0.0.1:{port}");
}
