using System.Globalization;

namespace Trunkline.Loadtest;

/// <summary>
/// A rule that a run must keep: a figure's name, a comparison, a value with a unit. `p99&lt;5ms`, `rate&gt;=1000`, `lost=0`,
/// `lost&lt;0.1%` (of what was expected), `cpu.nginx&lt;20us`.
/// </summary>
/// <param name="Text">As written.</param>
/// <param name="Figure">Name of the figure.</param>
/// <param name="Comparison">&lt;, &lt;=, &gt;, &gt;= or =.</param>
/// <param name="Value">In the figure's base unit: microseconds for times, bytes, or a plain number.</param>
/// <param name="Unit">What the value was written in.</param>
internal sealed record Threshold(string Text, string Figure, string Comparison, double Value, ThresholdUnit Unit)
{
    private static readonly string[] Comparisons = ["<=", ">=", "==", "<", ">", "="];

    /// <summary>Reads a rule; throws <see cref="OptionException"/>.</summary>
    public static Threshold Parse(string text)
    {
        int at = text.AsSpan().IndexOfAny("<>=");
        string? comparison = at <= 0 ? null : Comparisons.First(candidate => text.AsSpan(at).StartsWith(candidate, StringComparison.Ordinal));
        if (comparison is null)
        {
            throw new OptionException($"\"{text}\" is no rule; write a figure, a comparison and a value: p99<5ms.");
        }

        string figure = text[..at].Trim();
        string value = text[(at + comparison.Length)..].Trim();
        if (!FigureNames.IsKnown(figure))
        {
            throw new OptionException($"\"{figure}\" is no figure; there are {FigureNames.Known}.");
        }

        (double number, ThresholdUnit unit) = ParseValue(value, text);
        if (FigureNames.IsTime(figure) != (unit == ThresholdUnit.Time))
        {
            throw new OptionException(FigureNames.IsTime(figure)
                ? $"\"{text}\": {figure} is a time; give the value a unit: us, ms or s."
                : $"\"{text}\": {figure} is no time; the value has no unit ns, us, ms, s.");
        }

        return new Threshold(text, figure, comparison == "==" ? "=" : comparison, number, unit);
    }

    /// <summary>Whether a value keeps the rule; a figure that is not there does not.</summary>
    public bool IsKept(double? value) => value is { } actual && !double.IsNaN(actual) && Comparison switch
    {
        "<" => actual < Value,
        "<=" => actual <= Value,
        ">" => actual > Value,
        ">=" => actual >= Value,
        _ => Math.Abs(actual - Value) < 1e-9,
    };

    private static (double Value, ThresholdUnit Unit) ParseValue(string value, string text)
    {
        if (value.EndsWith('%') && TryNumber(value[..^1], out double percent))
        {
            return (percent / 100, ThresholdUnit.Share);
        }

        string plain = value.EndsWith("/s", StringComparison.Ordinal) ? value[..^2] : value;
        if (TryNumber(plain, out double number))
        {
            return (number, ThresholdUnit.Number);
        }

        (string Suffix, double Factor)[] factors = [("KiB", 1024), ("MiB", 1 << 20), ("GiB", 1 << 30), ("k", 1e3), ("K", 1e3), ("M", 1e6), ("B", 1)];
        foreach ((string suffix, double factor) in factors)
        {
            if (plain.EndsWith(suffix, StringComparison.Ordinal) && TryNumber(plain[..^suffix.Length], out number))
            {
                return (number * factor, ThresholdUnit.Number);
            }
        }

        return Durations.TryParse(value, "", out double nanoseconds)
            ? (nanoseconds / 1e3, ThresholdUnit.Time)
            : throw new OptionException($"\"{text}\": \"{value}\" is no value; write 5ms, 1000, 10k, 0.1% or 2MiB.");
    }

    private static bool TryNumber(string text, out double number) =>
        double.TryParse(text.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
}
