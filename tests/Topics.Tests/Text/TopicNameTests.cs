using Trunkline.Clauses;
using Trunkline.Protocol;
using static Trunkline.Topics.Tests.Utf8Text;

namespace Trunkline.Topics.Tests;

public class TopicNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("/")]
    [InlineData("//")]
    [InlineData("/finance")]
    [InlineData("Accounts payable")]
    [InlineData("$SYS/x")]
    [InlineData("$share/g/t")]
    [InlineData("sport/tennis/player1")]
    [InlineData("A\U0002A6D4")]
    [InlineData("\uFEFFa")]
    [Clause(Specification.Mqtt50, "MQTT-4.7.3-1")]
    [Clause(Specification.Mqtt311, "MQTT-4.7.3-1")]
    public void Names_of_at_least_one_character_are_valid(string topic)
    {
        Assert.True(TopicName.IsValid(Bytes(topic), TopicLimits.Default, out ProtocolError error));
        Assert.Equal(default, error);
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-4.7.3-1")]
    [Clause(Specification.Mqtt311, "MQTT-4.7.3-1")]
    public void The_empty_name_and_the_empty_filter_are_protocol_errors()
    {
        Assert.False(TopicName.IsValid([], TopicLimits.Default, out ProtocolError error));
        Assert.Equal(TopicErrors.EmptyName, error);
        Assert.Equal(ReasonCode.ProtocolError, error.Code);
        Assert.False(ParsedFilter.TryParse([], TopicLimits.Default, out _, out error));
        Assert.Equal(TopicErrors.EmptyFilter, error);
    }

    [Theory]
    [InlineData("#")]
    [InlineData("+")]
    [InlineData("a/+")]
    [InlineData("a/#")]
    [InlineData("a+b")]
    [InlineData("a#")]
    [Clause(Specification.Mqtt50, "MQTT-4.7.0-1", "MQTT-3.3.2-2")]
    [Clause(Specification.Mqtt311, "MQTT-4.7.1-1", "MQTT-3.3.2-2")]
    public void Wildcards_have_no_place_in_a_name(string topic)
    {
        Assert.False(TopicName.IsValid(Bytes(topic), TopicLimits.Default, out ProtocolError error));
        Assert.Equal(TopicErrors.WildcardInName, error);
        Assert.Equal(ReasonCode.MalformedPacket, error.Code);
    }

    public static TheoryData<byte[]> IllFormed => new()
    {
        new byte[] { 0x80 },                         // a continuation byte alone
        new byte[] { (byte)'a', 0xC3 },              // cut off
        new byte[] { 0xC0, 0xAF },                   // overlong slash
        new byte[] { 0xC1, 0xBF },
        new byte[] { 0xE0, 0x80, 0xAF },
        new byte[] { 0xED, 0xA0, 0x80 },             // U+D800
        new byte[] { 0xED, 0xBF, 0xBF },             // U+DFFF
        new byte[] { 0xED, 0xA0, 0x80, 0xED, 0xB0, 0x80 }, // a pair of surrogates, each encoded (CESU-8)
        new byte[] { 0xF4, 0x90, 0x80, 0x80 },       // above U+10FFFF
        new byte[] { 0xF8, 0x88, 0x80, 0x80, 0x80 },
        new byte[] { 0xFE },
        new byte[] { 0xFF },
    };

    [Theory]
    [MemberData(nameof(IllFormed))]
    [Clause(Specification.Mqtt50, "MQTT-1.5.4-1")]
    [Clause(Specification.Mqtt311, "MQTT-1.5.3-1")]
    public void Ill_formed_utf8_and_surrogates_are_malformed(byte[] utf8)
    {
        Assert.False(TopicName.IsValid(utf8, TopicLimits.Default, out ProtocolError error));
        Assert.Equal(TopicErrors.NotUtf8, error);
        Assert.Equal(ReasonCode.MalformedPacket, error.Code);
        Assert.False(ParsedFilter.TryParse(utf8, TopicLimits.Default, out _, out error));
        Assert.Equal(TopicErrors.NotUtf8, error);
    }

    [Theory]
    [InlineData("\0")]
    [InlineData("a\0b")]
    [InlineData("a/\0")]
    [Clause(Specification.Mqtt50, "MQTT-1.5.4-2", "MQTT-4.7.3-2")]
    [Clause(Specification.Mqtt311, "MQTT-1.5.3-2", "MQTT-4.7.3-2")]
    public void The_null_character_is_malformed(string text)
    {
        Assert.False(TopicName.IsValid(Bytes(text), TopicLimits.Default, out ProtocolError error));
        Assert.Equal(TopicErrors.NullCharacter, error);
        Assert.False(ParsedFilter.TryParse(Bytes(text), TopicLimits.Default, out _, out error));
        Assert.Equal(TopicErrors.NullCharacter, error);
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-1.5.4-3")]
    [Clause(Specification.Mqtt311, "MQTT-1.5.3-3")]
    public void A_byte_order_mark_is_a_character_like_any_other()
    {
        Assert.True(TopicFilterText.TryParse(Bytes("\uFEFFa"), TopicLimits.Default, out TopicFilterText filter, out _));
        Assert.Equal(new byte[] { 0xEF, 0xBB, 0xBF, (byte)'a' }, filter.Text.ToArray());
        Assert.False(TopicMatcher.Matches(filter.Filter, "a"u8));
        Assert.True(TopicMatcher.Matches(filter.Filter, Bytes("\uFEFFa")));
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-4.7.3-3")]
    [Clause(Specification.Mqtt311, "MQTT-4.7.3-3")]
    public void More_than_65535_bytes_are_malformed_and_65535_are_not()
    {
        byte[] longest = new byte[65_535];
        longest.AsSpan().Fill((byte)'x');
        Assert.True(TopicName.IsValid(longest, TopicLimits.Default, out _));
        Assert.True(ParsedFilter.TryParse(longest, TopicLimits.Default, out _, out _));
        byte[] longer = [.. longest, (byte)'x'];
        Assert.False(TopicName.IsValid(longer, TopicLimits.Default, out ProtocolError error));
        Assert.Equal(TopicErrors.TooLongForProtocol, error);
        Assert.False(ParsedFilter.TryParse(longer, TopicLimits.Default, out _, out error));
        Assert.Equal(TopicErrors.TooLongForProtocol, error);
    }

    [Fact]
    public void Our_own_limits_refuse_with_the_codes_that_keep_the_connection()
    {
        TopicLimits limits = new() { MaximumLevels = 3, MaximumBytes = 10 };
        Assert.True(TopicName.IsValid("a/b/c"u8, limits, out _));
        Assert.False(TopicName.IsValid("a/b/c/"u8, limits, out ProtocolError error));
        Assert.Equal(TopicErrors.NameTooDeep, error);
        Assert.Equal(ReasonCode.TopicNameInvalid, error.Code);
        Assert.False(TopicName.IsValid("12345678901"u8, limits, out error));
        Assert.Equal(TopicErrors.NameTooLong, error);
        Assert.False(ParsedFilter.TryParse("a/b/c/#"u8, limits, out _, out error));
        Assert.Equal(TopicErrors.FilterTooDeep, error);
        Assert.Equal(ReasonCode.TopicFilterInvalid, error.Code);
        Assert.False(ParsedFilter.TryParse("1234567890/"u8, limits, out _, out error));
        Assert.Equal(TopicErrors.FilterTooLong, error);
    }

    [Fact]
    public void What_breaks_the_specification_is_malformed_even_above_a_limit()
    {
        TopicLimits limits = new() { MaximumLevels = 1, MaximumBytes = 2 };
        Assert.False(TopicName.IsValid("a/b/+"u8, limits, out ProtocolError error));
        Assert.Equal(TopicErrors.WildcardInName, error);
        Assert.False(ParsedFilter.TryParse("a/b/#/c"u8, limits, out _, out error));
        Assert.Equal(TopicErrors.MisplacedMultiLevelWildcard, error);
    }

    [Fact]
    public void The_default_is_128_levels()
    {
        byte[] slashes = new byte[128];
        slashes.AsSpan().Fill((byte)'/');
        Assert.True(TopicName.IsValid(slashes.AsSpan(1), TopicLimits.Default, out _));
        Assert.False(TopicName.IsValid(slashes, TopicLimits.Default, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TopicLimits { MaximumLevels = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new TopicLimits { MaximumBytes = 65_536 });
    }
}
