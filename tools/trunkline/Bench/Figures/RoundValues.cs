using System.Globalization;

namespace Trunkline.Tool.Bench.Figures;

/// <summary>What one round measured, by name. Filled by the row while the round runs, read afterwards.</summary>
internal sealed class RoundValues
{
    private readonly SortedDictionary<string, double> _values = new(StringComparer.Ordinal);

    /// <summary>A value; asking for one that was not measured is a fault of the row.</summary>
    public double this[string name]
    {
        get => _values.TryGetValue(name, out double value)
            ? value
            : throw new ToolException($"The row never measured '{name}'; it has {string.Join(", ", _values.Keys)}.");
        set => _values[name] = value;
    }

    /// <summary>The names, in order.</summary>
    public IReadOnlyCollection<string> Names => _values.Keys;

    /// <summary>One line for whoever watches.</summary>
    public override string ToString() =>
        string.Join("  ", _values.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key}={pair.Value:G4}")));
}
