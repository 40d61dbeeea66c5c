using Trunkline.Protocol;

namespace Trunkline.Topics;

/// <summary>A checked topic filter over the bytes it was read from: no allocation; not to outlive them. Any thread.</summary>
public readonly ref struct ParsedFilter
{
    private static ReadOnlySpan<byte> SharePrefix => "$share/"u8;

    private readonly int _shareNameLength;

    private ParsedFilter(ReadOnlySpan<byte> text, int shareNameLength, bool hasWildcard)
    {
        Text = text;
        _shareNameLength = shareNameLength;
        HasWildcard = hasWildcard;
    }

    /// <summary>The whole filter as sent.</summary>
    public ReadOnlySpan<byte> Text { get; }

    /// <summary>Whether it is <c>$share/name/filter</c>.</summary>
    public bool IsShared => _shareNameLength > 0;

    /// <summary>The share name; empty when not shared.</summary>
    public ReadOnlySpan<byte> ShareName => IsShared ? Text.Slice(SharePrefix.Length, _shareNameLength) : default;

    /// <summary>What topics are matched against: the text without <c>$share/name/</c>.</summary>
    public ReadOnlySpan<byte> Filter => IsShared ? Text[(SharePrefix.Length + _shareNameLength + 1)..] : Text;

    /// <summary>Whether + or # is in <see cref="Filter"/>.</summary>
    public bool HasWildcard { get; }

    /// <summary>A copy to keep.</summary>
    public TopicFilterText ToText() => new(Text.ToArray());

    /// <summary>
    /// Checks a filter of a SUBSCRIBE or UNSUBSCRIBE. <c>$share/</c> is understood for every protocol version, as the
    /// brokers of the field do, although 3.1.1 does not speak of it.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, TopicLimits limits, out ParsedFilter filter, out ProtocolError error)
    {
        filter = default;
        if (utf8.IsEmpty)
        {
            error = TopicErrors.EmptyFilter; // [MQTT-4.7.3-1]
            return false;
        }
        if (!TopicText.IsWellFormed(utf8, out error))
        {
            return false;
        }
        if (!TryReadShareName(utf8, out int shareNameLength, out error))
        {
            return false;
        }
        ReadOnlySpan<byte> matched = shareNameLength > 0 ? utf8[(SharePrefix.Length + shareNameLength + 1)..] : utf8;
        if (!WildcardsStandAlone(matched, out bool hasWildcard, out error))
        {
            return false;
        }
        if (utf8.Length > limits.MaximumBytes)
        {
            error = TopicErrors.FilterTooLong;
            return false;
        }
        if (TopicText.CountLevels(matched) > limits.MaximumLevels)
        {
            error = TopicErrors.FilterTooDeep;
            return false;
        }
        if (hasWildcard && matched.Count(TopicText.SingleLevel) > limits.MaximumSingleLevelWildcards)
        {
            error = TopicErrors.TooManyWildcards;
            return false;
        }
        filter = new ParsedFilter(utf8, shareNameLength, hasWildcard);
        return true;
    }

    /// <summary>The parts of a text that was checked before.</summary>
    internal static ParsedFilter OfChecked(ReadOnlySpan<byte> utf8)
    {
        int shareNameLength = utf8.StartsWith(SharePrefix) ? utf8[SharePrefix.Length..].IndexOf(TopicText.Separator) : 0;
        ReadOnlySpan<byte> matched = shareNameLength > 0 ? utf8[(SharePrefix.Length + shareNameLength + 1)..] : utf8;
        return new ParsedFilter(utf8, Math.Max(shareNameLength, 0), TopicText.HasWildcard(matched));
    }

    private static bool TryReadShareName(ReadOnlySpan<byte> utf8, out int length, out ProtocolError error)
    {
        length = 0;
        error = default;
        if (!utf8.StartsWith(SharePrefix))
        {
            return true; // "$share" alone and "$shared/x" are ordinary filters.
        }
        ReadOnlySpan<byte> rest = utf8[SharePrefix.Length..];
        int end = rest.IndexOf(TopicText.Separator);
        ReadOnlySpan<byte> name = end < 0 ? rest : rest[..end];
        if (name.IsEmpty)
        {
            error = TopicErrors.EmptyShareName; // [MQTT-4.8.2-1]
            return false;
        }
        if (TopicText.HasWildcard(name))
        {
            error = TopicErrors.WildcardInShareName; // [MQTT-4.8.2-2]
            return false;
        }
        if (end < 0 || end == rest.Length - 1)
        {
            error = TopicErrors.ShareWithoutFilter; // [MQTT-4.8.2-2]
            return false;
        }
        length = end;
        return true;
    }

    private static bool WildcardsStandAlone(ReadOnlySpan<byte> filter, out bool hasWildcard, out ProtocolError error)
    {
        error = default;
        hasWildcard = false;
        int position = 0;
        while (true)
        {
            int step = filter[position..].IndexOfAny(TopicText.SingleLevel, TopicText.MultiLevel);
            if (step < 0)
            {
                return true;
            }
            hasWildcard = true;
            position += step;
            bool opensLevel = position == 0 || filter[position - 1] == TopicText.Separator;
            bool isLast = position == filter.Length - 1;
            if (filter[position] == TopicText.MultiLevel && !(opensLevel && isLast))
            {
                error = TopicErrors.MisplacedMultiLevelWildcard; // [MQTT-4.7.1-1]
                return false;
            }
            if (!opensLevel || !(isLast || filter[position + 1] == TopicText.Separator))
            {
                error = TopicErrors.MisplacedSingleLevelWildcard; // [MQTT-4.7.1-2]
                return false;
            }
            position++;
        }
    }
}
