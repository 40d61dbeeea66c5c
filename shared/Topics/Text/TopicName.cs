using Trunkline.Protocol;

namespace Trunkline.Topics;

/// <summary>Checks topic names: what a PUBLISH or a will names. Any thread.</summary>
public static class TopicName
{
    /// <summary>Whether <paramref name="utf8"/> is a topic name the specification and the limits allow.</summary>
    public static bool IsValid(ReadOnlySpan<byte> utf8, TopicLimits limits, out ProtocolError error)
    {
        if (utf8.IsEmpty)
        {
            error = TopicErrors.EmptyName; // [MQTT-4.7.3-1]
            return false;
        }
        if (!TopicText.IsWellFormed(utf8, out error))
        {
            return false;
        }
        if (utf8.IndexOfAny((byte)'+', (byte)'#') >= 0)
        {
            error = TopicErrors.WildcardInName; // [MQTT-3.3.2-2], [MQTT-4.7.0-1]
            return false;
        }
        if (utf8.Length > limits.MaximumBytes)
        {
            error = TopicErrors.NameTooLong;
            return false;
        }
        if (TopicText.CountLevels(utf8) > limits.MaximumLevels)
        {
            error = TopicErrors.NameTooDeep;
            return false;
        }
        return true;
    }
}
