using System.Text.Json;

namespace Trunkline.Tool.Parts;

/// <summary>What the proxy's and the broker's part have in common: settings as docs/CONFIGURATION.md names them.</summary>
internal static class OwnPrograms
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    /// <summary>Writes the settings and makes the command that starts the program with them.</summary>
    public static IReadOnlyList<string> Command(string program, string folder, object settings, IEnumerable<string> overrides)
    {
        string file = Path.Combine(folder, "trunkline.json");
        File.WriteAllText(file, JsonSerializer.Serialize(settings, Readable) + "\n");
        List<string> command = [Programs.Own(program), "--config", file];
        foreach (string setting in overrides)
        {
            int equals = setting.IndexOf('=', StringComparison.Ordinal);
            command.Add("--" + setting[..equals]);
            command.Add(setting[(equals + 1)..]);
        }

        return command;
    }

    public static string Loopback(int port) => FormattableString.Invariant($"127.0.0.1:{port}");
}
