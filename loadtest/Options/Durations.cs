using System.Globalization;

namespace Trunkline.Loadtest;

/// <summary>Reads durations as people write them: 10 (seconds), 500ms, 2m, 1.5s, 20us.</summary>
internal static class Durations
{
    private static readonly (string Unit, double Nanoseconds)[] Units =
        [("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

    /// <summary>Reads a duration into nanoseconds; a bare number has the unit given.</summary>
    public static bool TryParse(string text, string defaultUnit, out double nanoseconds)
    {
        nanoseconds = 0;
        string trimmed = text.Trim();
        int end = trimmed.Length;
        while (end > 0 && !char.IsAsciiDigit(trimmed[end - 1]) && trimmed[end - 1] != '.')
        {
            end--;
        }

        string unit = end == trimmed.Length ? defaultUnit : trimmed[end..].Trim();
        int index = Array.FindIndex(Units, known => known.Unit == unit);
        if (index < 0 || !double.TryParse(trimmed.AsSpan(0, end), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
        {
            return false;
        }

        nanoseconds = number * Units[index].Nanoseconds;
        return true;
    }

    /// <summary>Reads a duration for an option, or says what is wrong.</summary>
    public static TimeSpan Parse(string text, string defaultUnit) => TryParse(text, defaultUnit, out double nanoseconds)
        ? TimeSpan.FromMicroseconds(nanoseconds / 1e3)
        : throw new OptionException($"\"{text}\" is no duration; write 10s, 500ms or 2m.");
}
