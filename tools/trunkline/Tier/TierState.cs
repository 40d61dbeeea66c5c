using System.Text.Json;
using System.Text.Json.Serialization;
using Trunkline.Tool.Parts;

namespace Trunkline.Tool.Tier;

/// <summary>What is known of a tier, kept in its folder so that any later command finds it. Immutable; each change is a new file.</summary>
internal sealed record TierState(string Folder, string CaFile, IReadOnlyList<Part> Parts)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>The file of a tier that is up.</summary>
    public static string FileIn(string folder) => Path.Combine(folder, "tier.json");

    /// <summary>The file of a tier that was taken down; it marks the folder as ours.</summary>
    public static string LastFileIn(string folder) => Path.Combine(folder, "tier.last.json");

    /// <summary>Null when no tier is up in that folder.</summary>
    public static TierState? Load(string folder)
    {
        string file = FileIn(folder);
        return File.Exists(file) ? JsonSerializer.Deserialize<TierState>(File.ReadAllText(file), Json) : null;
    }

    /// <summary>Replaces the file in one step, so that a reader never sees half of it.</summary>
    public void Save()
    {
        string file = FileIn(Folder);
        File.WriteAllText(file + ".new", JsonSerializer.Serialize(this, Json) + "\n");
        File.Move(file + ".new", file, overwrite: true);
    }

    public TierState With(Part changed) => this with
    {
        Parts = [.. Parts.Select(part => part.Name == changed.Name ? changed : part)],
    };

    public Part Find(string name) =>
        Parts.FirstOrDefault(part => part.Name == name)
        ?? throw new ToolException(
            $"This tier has no part '{name}'; it has {string.Join(", ", Parts.Select(part => part.Name))}.", ExitCodes.Usage);
}
