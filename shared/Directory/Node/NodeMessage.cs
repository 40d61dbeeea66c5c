using System.Globalization;

namespace Trunkline.Directory;

/// <summary>
/// Messages between nodes, one line of UTF-8 each; what begins with another letter is of a newer version and passed over.
/// <code>
/// T (number) (from) (old epoch) (old node) (new epoch) (new node) (client id ...)   a client id was taken over
/// A (number)                                                                        the answer
/// N                                                                                 nodes came or went: read them
/// S                                                                                 the slot table changed: read it
/// </code>
/// </summary>
internal static class NodeMessage
{
    internal const string NodesChanged = "N";
    internal const string SlotsChanged = "S";

    internal static string TakeOver(long number, NodeId from, string clientId, SessionToken oldToken, SessionToken newToken) =>
        string.Create(CultureInfo.InvariantCulture,
            $"T {number} {from} {oldToken.Epoch} {oldToken.Node} {newToken.Epoch} {newToken.Node} {clientId}");

    internal static string Answer(long number) => string.Create(CultureInfo.InvariantCulture, $"A {number}");

    internal static bool TryReadAnswer(string message, out long number)
    {
        number = 0;
        return message.StartsWith("A ", StringComparison.Ordinal)
            && long.TryParse(message.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    internal static bool TryReadTakeOver(string message, out (long Number, NodeId From, string ClientId, SessionToken Old, SessionToken New) read)
    {
        read = default;
        string[] parts = message.Split(' ', 8);
        if (parts.Length != 8 || parts[0] != "T" || parts[7].Length == 0
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            || !NodeId.TryParse(parts[2], out NodeId from)
            || !long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out long oldEpoch)
            || !NodeId.TryParse(parts[4], out NodeId oldNode)
            || !long.TryParse(parts[5], NumberStyles.None, CultureInfo.InvariantCulture, out long newEpoch)
            || !NodeId.TryParse(parts[6], out NodeId newNode))
        {
            return false;
        }

        read = (number, from, parts[7], new SessionToken(oldEpoch, oldNode), new SessionToken(newEpoch, newNode));
        return true;
    }
}
