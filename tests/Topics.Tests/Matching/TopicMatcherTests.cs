using Trunkline.Clauses;
using Xunit.Abstractions;
using static Trunkline.Topics.Tests.Utf8Text;

namespace Trunkline.Topics.Tests;

public class TopicMatcherTests(ITestOutputHelper output)
{
    // The examples of section 4.7 of both specifications, then corners.
    public static TheoryData<string, string, bool> Table => new()
    {
        { "sport/tennis/player1/#", "sport/tennis/player1", true },
        { "sport/tennis/player1/#", "sport/tennis/player1/ranking", true },
        { "sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true },
        { "sport/#", "sport", true },
        { "#", "sport/tennis", true },
        { "#", "/", true },
        { "sport/tennis/+", "sport/tennis/player1", true },
        { "sport/tennis/+", "sport/tennis/player1/ranking", false },
        { "sport/+", "sport", false },
        { "sport/+", "sport/", true },
        { "+/+", "/finance", true },
        { "/+", "/finance", true },
        { "+", "/finance", false },
        { "+/tennis/#", "sport/tennis", true },
        { "+/tennis/#", "sport/football", false },
        { "ACCOUNTS", "Accounts", false },
        { "/finance", "finance", false },
        { "a/b", "a/b/", false },
        { "a/b/", "a/b", false },
        { "a//b", "a//b", true },
        { "a/+/b", "a//b", true },
        { "a/#", "ab", false },
        { "a/#", "a/", true },
        { "/#", "/", true },
        { "/#", "a", false },
        { "+/#", "a", true },
        { "+/#", "/", true },
        { "+/+/#", "a", false },
        { "ab", "a", false },
        { "a", "ab", false },
    };

    [Theory]
    [MemberData(nameof(Table))]
    [Clause(Specification.Mqtt50, "MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.7.3-4")]
    [Clause(Specification.Mqtt311, "MQTT-4.7.1-2", "MQTT-4.7.1-3", "MQTT-4.7.3-4")]
    public void Matches_as_the_specification_says(string filter, string topic, bool matches)
    {
        Assert.Equal(matches, TopicMatcher.Matches(Bytes(filter), Bytes(topic)));
        Assert.Equal(matches, ReferenceMatcher.Matches(filter, topic));
    }

    [Theory]
    [InlineData("#", "$SYS/uptime", false)]
    [InlineData("+/uptime", "$SYS/uptime", false)]
    [InlineData("+/monitor/Clients", "$SYS/monitor/Clients", false)]
    [InlineData("$SYS/#", "$SYS/monitor/Clients", true)]
    [InlineData("$SYS/monitor/+", "$SYS/monitor/Clients", true)]
    [InlineData("+", "$", false)]
    [InlineData("$", "$", true)]
    [InlineData("a/#", "a/$SYS", true)]
    [InlineData("a/+", "a/$SYS", true)]
    [InlineData("+/+", "/$SYS", true)]
    [Clause(Specification.Mqtt50, "MQTT-4.7.2-1")]
    [Clause(Specification.Mqtt311, "MQTT-4.7.2-1")]
    public void Topics_that_begin_with_a_dollar_are_hidden_from_leading_wildcards(string filter, string topic, bool matches)
    {
        Assert.Equal(matches, TopicMatcher.Matches(Bytes(filter), Bytes(topic)));
        Assert.Equal(matches, ReferenceMatcher.Matches(filter, topic));
    }

    [Fact]
    [Clause(Specification.Mqtt50, "MQTT-4.7.3-4")]
    [Clause(Specification.Mqtt311, "MQTT-4.7.3-4")]
    public void Characters_are_not_normalized()
    {
        Assert.False(TopicMatcher.Matches(Bytes("\u00E9"), Bytes("e\u0301")));
        Assert.True(TopicMatcher.Matches(Bytes("e\u0301"), Bytes("e\u0301")));
    }

    [Fact]
    public void Agrees_with_the_reference_on_random_pairs()
    {
        RandomTopics random = new(output, 20_240_501);
        int matched = 0;
        for (int i = 0; i < 200_000; i++)
        {
            (string filter, string topic) = (random.Filter(), random.Topic());
            bool expected = ReferenceMatcher.Matches(filter, topic);
            bool actual = TopicMatcher.Matches(Bytes(filter), Bytes(topic));
            Assert.True(expected == actual, $"seed {random.Seed}: '{filter}' and '{topic}': expected {expected}");
            matched += expected ? 1 : 0;
        }
        Assert.InRange(matched, 5_000, 150_000); // Otherwise the generator tests nothing.
    }

    [Fact]
    public void A_topic_of_65535_slashes_is_matched_in_one_pass()
    {
        byte[] slashes = new byte[65_535];
        slashes.AsSpan().Fill((byte)'/');
        Assert.True(TopicMatcher.Matches("#"u8, slashes));
        Assert.True(TopicMatcher.Matches(slashes, slashes));
        byte[] pluses = Bytes(string.Join('/', Enumerable.Repeat("+", 32_768)));
        Assert.False(TopicMatcher.Matches(pluses, slashes));
        Assert.True(TopicMatcher.Matches(pluses, slashes.AsSpan(0, 32_767)));
    }
}
