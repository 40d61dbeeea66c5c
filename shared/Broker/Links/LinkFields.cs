using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Broker;

/// <summary>What a publish link says of a message: <c>n&lt;number&gt;;q2;r;o&lt;origin&gt;;m&lt;id&gt;</c>.</summary>
/// <param name="Number">Its number on the link; 0 for none.</param>
/// <param name="OriginalQoS">The QoS the device published with.</param>
/// <param name="Origin">The publishing session, for No Local.</param>
/// <param name="Id">The identity it was given elsewhere: it is appended only if the log does not hold that.</param>
internal readonly record struct LinkFields(ulong Number, QoS? OriginalQoS, ulong Origin, MessageId? Id)
{
    /// <summary>Reads the value of the user property; fields it does not know are passed over.</summary>
    public static LinkFields Parse(ReadOnlySpan<byte> value)
    {
        ulong number = 0;
        QoS? qos = null;
        ulong origin = 0;
        MessageId? id = null;
        while (!value.IsEmpty)
        {
            int end = value.IndexOf((byte)';');
            ReadOnlySpan<byte> field = end < 0 ? value : value[..end];
            value = end < 0 ? default : value[(end + 1)..];
            if (field.Length < 2)
            {
                continue;
            }

            switch (field[0])
            {
                case (byte)'n':
                    number = Utf8Parser.TryParse(field[1..], out ulong parsed, out _) ? parsed : 0;
                    break;
                case (byte)'q':
                    qos = field[1] == (byte)'2' ? QoS.ExactlyOnce : QoS.AtLeastOnce;
                    break;
                case (byte)'o':
                    origin = ulong.TryParse(field[1..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong hex) ? hex : 0;
                    break;
                case (byte)'m':
                    id = ParseId(field[1..]);
                    break;
            }
        }

        return new LinkFields(number, qos, origin, id);
    }

    /// <summary>Reads <c>node/link/number</c>; null when it is malformed.</summary>
    private static MessageId? ParseId(ReadOnlySpan<byte> text)
    {
        int slash = text.IndexOf((byte)'/');
        if (slash is <= 0 or > MessageId.MaximumNodeLength || !LinkHello.IsNode(text[..slash]))
        {
            return null;
        }

        ReadOnlySpan<byte> rest = text[(slash + 1)..];
        return Utf8Parser.TryParse(rest, out ulong link, out int used) && used < rest.Length && rest[used] == (byte)'/'
            && Utf8Parser.TryParse(rest[(used + 1)..], out ulong number, out int length) && used + 1 + length == rest.Length && number > 0
            ? new MessageId(Encoding.ASCII.GetString(text[..slash]), link, number)
            : null;
    }
}
