using System.Globalization;

namespace Trunkline.Directory;

/// <summary>A tier's shape as it is stored: <c>levels=0 groups=a,b</c>, the groups in the order of their numbers.</summary>
internal static class TierShapeText
{
    internal static string Write(TierShape shape) => string.Create(CultureInfo.InvariantCulture,
        $"levels={shape.KeyLevels} groups={string.Join(',', shape.Groups)}");

    /// <summary>Why a node of another shape is refused, for the user.</summary>
    internal static string Refusal(string mine, string stored) =>
        $"This node is configured with {Describe(mine)}, but the tier in this directory runs with {Describe(stored)}. "
        + "A change would send topics to other groups and is refused without a migration: "
        + "give every node the tier's Sharding:KeyLevels and groups in the tier's order, or give this tier a Directory:Prefix (with --data: a folder) of its own.";

    private static string Describe(string text)
    {
        string[] parts = text.Split(' ', 2);
        string levels = parts[0].Replace("levels=", "", StringComparison.Ordinal);
        string[] groups = parts.Length < 2 ? [] : parts[1].Replace("groups=", "", StringComparison.Ordinal).Split(',', StringSplitOptions.RemoveEmptyEntries);
        return string.Create(CultureInfo.InvariantCulture, $"Sharding:KeyLevels = {levels} and {groups.Length} groups ({string.Join(", ", groups)})");
    }
}
