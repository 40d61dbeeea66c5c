using System.Globalization;

namespace Trunkline.Broker;

/// <summary>What a link says of itself in CONNECT: <c>v1;kp;d&lt;node&gt;;l&lt;link&gt;;h&lt;term&gt;</c>.</summary>
/// <param name="IsPublish">A publish link; else a receive link.</param>
/// <param name="Node">The node.</param>
/// <param name="Link">The number of the link within the node.</param>
/// <param name="HighestTerm">The highest term of this group the node knows; 0 for none.</param>
internal sealed record LinkHello(bool IsPublish, string Node, ulong Link, ulong HighestTerm)
{
    private const int MaximumNodeLength = 32;

    /// <summary>Reads the value of the user property; <paramref name="error"/> says what is wrong with it.</summary>
    public static LinkHello? TryParse(string value, out string error)
    {
        string? version = null;
        string? kind = null;
        string? node = null;
        ulong? link = null;
        ulong highest = 0;
        error = "";
        foreach (string field in value.Split(';'))
        {
            string text = field.Length > 0 ? field[1..] : "";
            switch (field.Length > 0 ? field[0] : ' ')
            {
                case 'v':
                    version = text;
                    break;
                case 'k':
                    kind = text;
                    break;
                case 'd':
                    node = text;
                    break;
                case 'l' when ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number):
                    link = number;
                    break;
                case 'h' when ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out highest):
                    break;
                default:
                    error = $"Field '{field}' of the link's CONNECT is not known.";
                    return null;
            }
        }

        error = version != "1" ? $"Link protocol version '{version}' is not served; this broker speaks version 1."
            : kind is not ("p" or "r") ? "The link does not say whether it publishes or receives."
            : node is null || !IsNode(node) ? "The link names no node: 1 to 32 letters, digits and dashes."
            : link is null ? "The link has no number."
            : "";
        return error.Length == 0 ? new LinkHello(kind == "p", node!, link!.Value, highest) : null;
    }

    /// <summary>Letters, digits and dashes.</summary>
    public static bool IsNode(ReadOnlySpan<byte> node)
    {
        foreach (byte letter in node)
        {
            if (!char.IsAsciiLetterOrDigit((char)letter) && letter != (byte)'-')
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsNode(string node) =>
        node.Length is > 0 and <= MaximumNodeLength && node.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-');
}
