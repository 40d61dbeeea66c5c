using Trunkline.Clauses;
using Trunkline.Protocol;
using static Trunkline.Topics.Tests.Utf8Text;

namespace Trunkline.Topics.Tests;

public class ParsedFilterTests
{
    [Theory]
    [InlineData("#", true)]
    [InlineData("/#", true)]
    [InlineData("sport/#", true)]
    [InlineData("sport/tennis/#", true)]
    [InlineData("+", true)]
    [InlineData("+/tennis/#", true)]
    [InlineData("sport/+/player1", true)]
    [InlineData("/+", true)]
    [InlineData("+/+", true)]
    [InlineData("+/", true)]
    [InlineData("a/b", false)]
    [InlineData("$SYS/#", true)]
    [InlineData("$share", false)]
    [InlineData("$shared/x", false)]
    [InlineData("$sharex/#", true)]
    [Clause(Specification.Mqtt50, "MQTT-4.7.1-1", "MQTT-4.7.1-2")]
    [Clause(Specification.Mqtt311, "MQTT-4.7.1-2", "MQTT-4.7.1-3")]
    public void Wildcards_as_whole_levels_are_valid(string text, bool hasWildcard)
    {
        Assert.True(ParsedFilter.TryParse(Bytes(text), TopicLimits.Default, out ParsedFilter filter, out ProtocolError error));
        Assert.Equal(default, error);
        Assert.Equal(text, Text(filter.Text));
        Assert.Equal(text, Text(filter.Filter));
        Assert.Equal(hasWildcard, filter.HasWildcard);
        Assert.False(filter.IsShared);
        Assert.True(filter.ShareName.IsEmpty);
    }

    [Theory]
    [InlineData("sport/tennis#")]
    [InlineData("sport/tennis/#/ranking")]
    [InlineData("#/")]
    [InlineData("##")]
    [InlineData("#a")]
    [InlineData("/#a")]
    [InlineData("a/##")]
    [InlineData("$share/g/a#")]
    [InlineData("$share/g/#/a")]
    [Clause(Specification.Mqtt50, "MQTT-4.7.1-1")]
    [Clause(Specification.Mqtt311, "MQTT-4.7.1-2")]
    public void A_hash_that_is_not_the_whole_last_level_is_malformed(string text)
    {
        Assert.False(ParsedFilter.TryParse(Bytes(text), TopicLimits.Default, out _, out ProtocolError error));
        Assert.Equal(TopicErrors.MisplacedMultiLevelWildcard, error);
        Assert.Equal(ReasonCode.MalformedPacket, error.Code);
    }

    [Theory]
    [InlineData("sport+")]
    [InlineData("+a")]
    [InlineData("++")]
    [InlineData("a/b+/c")]
    [InlineData("a/+b/c")]
    [InlineData("+#")]
    [InlineData("$share/g/a+")]
    [Clause(Specification.Mqtt50, "MQTT-4.7.1-2")]
    [Clause(Specification.Mqtt311, "MQTT-4.7.1-3")]
    public void A_plus_that_is_not_a_whole_level_is_malformed(string text)
    {
        Assert.False(ParsedFilter.TryParse(Bytes(text), TopicLimits.Default, out _, out ProtocolError error));
        Assert.Equal(TopicErrors.MisplacedSingleLevelWildcard, error);
    }

    [Theory]
    [InlineData("$share/g/a/b", "g", "a/b", false)]
    [InlineData("$share/g/#", "g", "#", true)]
    [InlineData("$share/g//", "g", "/", false)]
    [InlineData("$share/g//finance", "g", "/finance", false)]
    [InlineData("$share/consumer 1/sport/+", "consumer 1", "sport/+", true)]
    [InlineData("$share/$share/$share/a/b", "$share", "$share/a/b", false)]
    [Clause(Specification.Mqtt50, "MQTT-4.8.2-1", "MQTT-4.8.2-2")]
    public void A_shared_filter_has_a_name_and_a_filter(string text, string name, string matched, bool hasWildcard)
    {
        Assert.True(TopicFilterText.TryParse(Bytes(text), TopicLimits.Default, out TopicFilterText filter, out _));
        Assert.True(filter.IsShared);
        Assert.Equal(name, Text(filter.ShareName));
        Assert.Equal(matched, Text(filter.Filter));
        Assert.Equal(text, Text(filter.Text));
        Assert.Equal(hasWildcard, filter.HasWildcard);
    }

    [Theory]
    [InlineData("$share/", "MQTT-4.8.2-1")]
    [InlineData("$share//", "MQTT-4.8.2-1")]
    [InlineData("$share//a", "MQTT-4.8.2-1")]
    [InlineData("$share/g", "MQTT-4.8.2-2")]
    [InlineData("$share/g/", "MQTT-4.8.2-2")]
    [InlineData("$share/+/a", "MQTT-4.8.2-2")]
    [InlineData("$share/#", "MQTT-4.8.2-2")]
    [InlineData("$share/g#/a", "MQTT-4.8.2-2")]
    [InlineData("$share/g+h/a", "MQTT-4.8.2-2")]
    [Clause(Specification.Mqtt50, "MQTT-4.8.2-1", "MQTT-4.8.2-2")]
    public void A_shared_filter_without_one_of_them_is_malformed(string text, string clause)
    {
        Assert.False(ParsedFilter.TryParse(Bytes(text), TopicLimits.Default, out _, out ProtocolError error));
        Assert.Equal(clause, error.Clause);
        Assert.Equal(ReasonCode.MalformedPacket, error.Code);
    }

    [Fact]
    public void The_share_name_is_not_counted_as_levels()
    {
        TopicLimits limits = new() { MaximumLevels = 2 };
        Assert.True(ParsedFilter.TryParse("$share/g/a/b"u8, limits, out _, out _));
        Assert.False(ParsedFilter.TryParse("$share/g/a/b/c"u8, limits, out _, out ProtocolError error));
        Assert.Equal(TopicErrors.FilterTooDeep, error);
    }

    [Fact]
    public void Wildcards_beyond_the_limit_are_refused_and_at_it_taken()
    {
        TopicLimits limits = new() { MaximumSingleLevelWildcards = 2 };
        Assert.True(ParsedFilter.TryParse("+/a/+/#"u8, limits, out _, out _));
        Assert.True(ParsedFilter.TryParse("$share/g/+/a/+"u8, limits, out _, out _));
        Assert.False(ParsedFilter.TryParse("+/a/+/+"u8, limits, out _, out ProtocolError error));
        Assert.Equal(TopicErrors.TooManyWildcards, error);
        Assert.Equal(ReasonCode.TopicFilterInvalid, error.Code);
    }

    [Fact]
    public void A_kept_filter_is_one_reference_and_equal_by_content()
    {
        Assert.True(TopicFilterText.TryParse("a/+"u8, TopicLimits.Default, out TopicFilterText one, out _));
        Assert.True(TopicFilterText.TryParse("a/+"u8, TopicLimits.Default, out TopicFilterText same, out _));
        Assert.True(TopicFilterText.TryParse("a/#"u8, TopicLimits.Default, out TopicFilterText other, out _));
        Assert.Equal(one, same);
        Assert.Equal(one.GetHashCode(), same.GetHashCode());
        Assert.True(one != other);
        Assert.True(default(TopicFilterText).IsEmpty);
        Assert.Equal("a/+", one.ToString());
        Assert.Equal(IntPtr.Size, System.Runtime.CompilerServices.Unsafe.SizeOf<TopicFilterText>());
    }

    [Fact]
    public void Parsing_allocates_nothing()
    {
        ParsedFilter.TryParse("$share/g/a/+/#"u8, TopicLimits.Default, out _, out _);
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 1_000; i++)
            {
                ParsedFilter.TryParse("$share/g/a/+/#"u8, TopicLimits.Default, out _, out _);
                ParsedFilter.TryParse("a#"u8, TopicLimits.Default, out _, out _);
                TopicName.IsValid("a/b/c"u8, TopicLimits.Default, out _);
            }
        }));
    }
}
