namespace Trunkline.Sessions;

/// <summary>
/// Identity of a QoS 1 or 2 message, given where it enters the tier: the log takes a message with an identity that it
/// knows already for a repeat, whatever link it comes by.
/// </summary>
/// <param name="Node">Who gave it: a node's identity, or a name of our own for wills; 1 to 32 letters, digits and dashes. Null only in <c>default</c>.</param>
/// <param name="Link">The giver's numbering, so that one node can count in several places.</param>
/// <param name="Number">Rises within (node, link); never given twice.</param>
public readonly record struct MessageId(string? Node, ulong Link, ulong Number)
{
    /// <summary>Longest <see cref="Node"/>.</summary>
    public const int MaximumNodeLength = 32;

    /// <summary>Whether this is no identity.</summary>
    public bool IsNone => Node is null;

    /// <summary>
    /// The identity of the will of one attachment of a session: the same wherever it is published, so that twice is once.
    /// </summary>
    /// <param name="origin">The hash of the client identifier (<see cref="SessionRegistry.OriginOf(string)"/>).</param>
    /// <param name="epoch">The epoch of the claim that brought the will.</param>
    public static MessageId OfWill(ulong origin, long epoch) => new($"w{origin:x16}", 0, (ulong)epoch);

    /// <summary>Whether a text can be a <see cref="Node"/>.</summary>
    internal static bool IsNode(ReadOnlySpan<byte> text)
    {
        foreach (byte value in text)
        {
            if (!char.IsAsciiLetterOrDigit((char)value) && value != (byte)'-')
            {
                return false;
            }
        }

        return text.Length is > 0 and <= MaximumNodeLength;
    }

    /// <summary>"node/link/number".</summary>
    public override string ToString() => IsNone ? "" : $"{Node}/{Link}/{Number}";
}
