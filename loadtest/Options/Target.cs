using System.Globalization;

namespace Trunkline.Loadtest;

/// <summary>One address clients connect to.</summary>
internal sealed record Target(string Host, int Port)
{
    /// <summary>Reads "a", "a:1883", "a:1883,b:1884", "[::1]:1883"; without a port the default one.</summary>
    public static IReadOnlyList<Target> ParseAll(string text, int defaultPort) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(part => Parse(part, defaultPort))];

    /// <inheritdoc/>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    private static Target Parse(string text, int defaultPort)
    {
        int bracket = text.LastIndexOf(']');
        int colon = text.IndexOf(':', Math.Max(0, bracket));
        bool isBareIPv6 = bracket < 0 && colon >= 0 && text.LastIndexOf(':') != colon;
        if (colon < 0 || isBareIPv6)
        {
            return new Target(text.Trim('[', ']'), defaultPort);
        }

        return int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and <= 65535
            ? new Target(text[..colon].Trim('[', ']'), port)
            : throw new OptionException($"\"{text}\" names no port from 1 to 65535.");
    }
}
