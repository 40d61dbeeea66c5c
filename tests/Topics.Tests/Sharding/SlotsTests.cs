using Xunit.Abstractions;
using static Trunkline.Topics.Tests.Utf8Text;

namespace Trunkline.Topics.Tests;

public class SlotsTests(ITestOutputHelper output)
{
    // The check value of CRC16/XMODEM and the answers of CLUSTER KEYSLOT that Redis's own documentation prints.
    [Theory]
    [InlineData("123456789", 0x31C3)]
    [InlineData("somekey", 11058)]
    [InlineData("foo{hash_tag}", 2515)]
    [InlineData("bar{hash_tag}", 2515)]
    [InlineData("hash_tag", 2515)]
    [InlineData("foo", 12182)]
    [InlineData("bar", 5061)]
    [InlineData("", 0)]
    public void Known_keys_have_known_slots(string key, int expected) => Assert.Equal(expected & 0x3FFF, Slots.OfKey(Bytes(key)));

    [Theory]
    [InlineData("{user1000}.following", "user1000")]
    [InlineData("foo{{bar}}zap", "{bar")]
    [InlineData("foo{bar}{zap}", "bar")]
    [InlineData("a}b{c}", "c")]
    [InlineData("{a/b}/c", "a/b")]
    public void Only_the_first_tag_is_hashed(string key, string hashed) => Assert.Equal(Slots.OfKey(Bytes(hashed)), Slots.OfKey(Bytes(key)));

    [Theory]
    [InlineData("foo{}{bar}")]
    [InlineData("{}x")]
    [InlineData("foo{bar")]
    [InlineData("foo}bar{")]
    public void Without_a_tag_the_whole_key_is_hashed(string key) => Assert.Equal(BitwiseSlot(key), Slots.OfKey(Bytes(key)));

    [Theory]
    [InlineData("a/b/c", 0, "a/b/c")]
    [InlineData("a/b/c", 1, "a")]
    [InlineData("a/b/c", 2, "a/b")]
    [InlineData("a/b/c", 3, "a/b/c")]
    [InlineData("a/b/c", 9, "a/b/c")]
    [InlineData("a/b/", 2, "a/b")]
    [InlineData("a/b/", 3, "a/b/")]
    [InlineData("/a", 1, "")]
    [InlineData("a", 2, "a")]
    public void The_key_of_a_topic_is_its_first_levels(string topic, int keyLevels, string key) =>
        Assert.Equal(BitwiseSlot(key), Slots.OfTopic(Bytes(topic), keyLevels));

    [Theory]
    [InlineData("a/b", 0, "a/b")]
    [InlineData("a/#", 0, null)]
    [InlineData("a/+", 0, null)]
    [InlineData("#", 1, null)]
    [InlineData("+/a", 1, null)]
    [InlineData("a/#", 1, "a")]
    [InlineData("a/+", 1, "a")]
    [InlineData("a/b", 1, "a")]
    [InlineData("a/#", 2, null)]     // a and a/b have different keys
    [InlineData("a/b/#", 2, "a/b")]  // a/b has the key a/b too
    [InlineData("a/b/#", 3, null)]
    [InlineData("a/+/c", 2, null)]
    [InlineData("a/b/+", 2, "a/b")]
    [InlineData("a/b", 5, "a/b")]
    [InlineData("/#", 1, "")]
    [InlineData("{x}/#", 0, "x")]    // also matches {x}
    [InlineData("a/{x}/+/b", 0, "x")]
    [InlineData("{x}/+", 2, "x")]
    [InlineData("{x/+", 0, null)]    // {x/y} may come
    [InlineData("{}/+", 0, null)]
    [InlineData("{}{x}/+", 0, null)]
    [InlineData("+/{x}", 0, null)]   // {y}/{x} has the tag y
    [InlineData("a/+/{x}", 0, null)]
    public void A_filter_needs_one_slot_when_all_its_topics_share_it(string filter, int keyLevels, string? key)
    {
        bool single = Slots.TryOfFilter(Bytes(filter), keyLevels, out ushort slot);
        Assert.Equal(key is not null, single);
        Assert.Equal(key is null ? 0 : BitwiseSlot(key), slot);
    }

    [Fact]
    public void No_slot_that_may_hold_a_matching_topic_is_missed()
    {
        RandomTopics random = new(output, 31);
        int single = 0;
        for (int i = 0; i < 300_000; i++)
        {
            (string topic, int keyLevels) = (random.Topic(), random.Next(5));
            string filter = random.FilterFor(topic);
            if (!Slots.TryOfFilter(Bytes(filter), keyLevels, out ushort slot) || !TopicMatcher.Matches(Bytes(filter), Bytes(topic)))
            {
                continue;
            }
            single++;
            ushort actual = Slots.OfTopic(Bytes(topic), keyLevels);
            Assert.True(slot == actual, $"seed {random.Seed}: '{filter}' levels {keyLevels} at {slot}, but '{topic}' at {actual}");
        }
        Assert.InRange(single, 30_000, 270_000);
    }

    [Fact]
    public void A_negative_number_of_key_levels_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Slots.OfTopic("a"u8, -1));

    /// <summary>The same function by its definition: bit by bit, no table, the whole key.</summary>
    private static int BitwiseSlot(string key)
    {
        int crc = 0;
        foreach (byte value in Bytes(key))
        {
            crc ^= value << 8;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 0x8000) != 0 ? ((crc << 1) ^ 0x1021) & 0xFFFF : crc << 1;
            }
        }
        return crc % 16_384;
    }
}
