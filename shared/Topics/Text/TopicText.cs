using Trunkline.Protocol;

namespace Trunkline.Topics;

/// <summary>What names and filters have in common: bytes of UTF-8 in levels parted by slashes.</summary>
internal static class TopicText
{
    public const byte Separator = (byte)'/';
    public const byte SingleLevel = (byte)'+';
    public const byte MultiLevel = (byte)'#';
    public const byte Reserved = (byte)'$';

    /// <summary>UTF-8 without surrogates [MQTT-1.5.4-1], without U+0000 [MQTT-1.5.4-2], not longer than the wire allows.</summary>
    public static bool IsWellFormed(ReadOnlySpan<byte> utf8, out ProtocolError error)
    {
        if (utf8.Length > TopicLimits.LargestBytes)
        {
            error = TopicErrors.TooLongForProtocol; // [MQTT-4.7.3-3]
            return false;
        }
        if (!Utf8.IsValidMqttString(utf8))
        {
            error = utf8.Contains((byte)0) ? TopicErrors.NullCharacter : TopicErrors.NotUtf8; // [MQTT-4.7.3-2]
            return false;
        }
        error = default;
        return true;
    }

    /// <summary>Levels of a name or filter; an empty level counts, so one more than there are slashes.</summary>
    public static int CountLevels(ReadOnlySpan<byte> utf8) => utf8.Count(Separator) + 1;

    /// <summary>Whether a valid filter has a wildcard; in a valid one these bytes occur as whole levels only.</summary>
    public static bool HasWildcard(ReadOnlySpan<byte> filter) => filter.IndexOfAny(SingleLevel, MultiLevel) >= 0;

    /// <summary>The end of the level that begins at <paramref name="start"/>: its slash or the end of the text.</summary>
    public static int LevelEnd(ReadOnlySpan<byte> utf8, int start)
    {
        int length = utf8[start..].IndexOf(Separator);
        return length < 0 ? utf8.Length : start + length;
    }
}
