using System.Globalization;

namespace Trunkline.Hosting.Configuration;

/// <summary>
/// Lays the sources' settings over each other, later ones on top. A list that a source names, by any of its items,
/// replaces that list of all earlier sources as a whole: two sources' items would else be mixed by their numbers, and an
/// address range that a later source meant to leave out would stay trusted.
/// </summary>
internal sealed class SettingsMerge
{
    private readonly Dictionary<string, string?> _settings = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>What all sources say together.</summary>
    public IReadOnlyDictionary<string, string?> Settings => _settings;

    /// <summary>Lays a source on top.</summary>
    public void Add(IReadOnlyCollection<KeyValuePair<string, string?>> source)
    {
        foreach (string list in source.Select(ListOf).OfType<string>().Distinct(StringComparer.OrdinalIgnoreCase))
        {
            Remove(list);
        }

        // A section's own key comes along without a value; a key that was set to null is kept, to be told of.
        var sections = source.SelectMany(setting => Parents(setting.Key)).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach ((string key, string? value) in source)
        {
            if (value is not null || !sections.Contains(key))
            {
                _settings[key] = value;
            }
        }
    }

    /// <summary>The outermost list a setting belongs to: what stands before the first number, or the key itself when it may be a list in one text.</summary>
    private static string? ListOf(KeyValuePair<string, string?> setting)
    {
        string[] parts = setting.Key.Split(':');
        int item = Array.FindIndex(parts, part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        return item > 0 ? string.Join(':', parts[..item]) : setting.Value is null ? null : setting.Key;
    }

    private static IEnumerable<string> Parents(string key)
    {
        for (int colon = key.LastIndexOf(':'); colon > 0; colon = key.LastIndexOf(':', colon - 1))
        {
            yield return key[..colon];
        }
    }

    private void Remove(string list)
    {
        string items = list + ":";
        foreach (string key in _settings.Keys.Where(key => key.StartsWith(items, StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            _settings.Remove(key);
        }

        _settings.Remove(list);
    }
}
