using Trunkline.Clauses;
using Xunit.Abstractions;
using static Trunkline.Topics.Tests.Utf8Text;

namespace Trunkline.Topics.Tests;

public class TopicIndexTests(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(TopicMatcherTests.Table), MemberType = typeof(TopicMatcherTests))]
    [InlineData("#", "$SYS/uptime", false)]
    [InlineData("+/uptime", "$SYS/uptime", false)]
    [InlineData("$SYS/#", "$SYS/uptime", true)]
    [InlineData("$SYS/+", "$SYS/uptime", true)]
    [InlineData("+", "$", false)]
    [Clause(Specification.Mqtt50, "MQTT-4.7.2-1", "MQTT-4.7.3-4")]
    [Clause(Specification.Mqtt311, "MQTT-4.7.2-1", "MQTT-4.7.3-4")]
    public void Reads_what_the_specification_matches(string filter, string topic, bool matches)
    {
        TopicIndex<int> index = new();
        index.Set(Bytes(topic), 7, out _);
        Assert.Equal(matches ? [(topic, 7)] : [], ReadAll(index, filter));
    }

    [Fact]
    public void Setting_and_removing_tell_what_was_there()
    {
        TopicIndex<string> index = new();
        Assert.False(index.TryGet("a"u8, out _));
        Assert.False(index.Remove("a"u8, out _));
        Assert.True(index.Set("a"u8, "1", out string? previous));
        Assert.Null(previous);
        Assert.False(index.Set("a"u8, "2", out previous));
        Assert.Equal("1", previous);
        Assert.True(index.TryGet("a"u8, out string? value));
        Assert.Equal("2", value);
        Assert.Equal((1, 1L), (index.Count, index.TopicBytes));
        Assert.True(index.Remove("a"u8, out string? removed));
        Assert.Equal("2", removed);
        Assert.Equal((0, 0L), (index.Count, index.TopicBytes));
    }

    [Fact]
    public void Topics_come_by_level_each_followed_by_what_is_below_it()
    {
        string[] order = ["/", "/a", "a", "a/", "a/b", "a/b/c", "a/b\u0001", "a/b!", "a/c", "a\u0001", "a!", "ab", "b"];
        TopicIndex<int> index = new();
        foreach (string topic in order.Reverse())
        {
            index.Set(Bytes(topic), 0, out _);
        }
        Assert.Equal(order, ReadAll(index, "#").Select(entry => entry.Topic));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void Agrees_with_the_reference_on_random_contents(int seed)
    {
        RandomTopics random = new(output, seed);
        TopicIndex<int> index = new();
        Dictionary<string, int> model = [];
        for (int step = 0; step < 60_000; step++)
        {
            string topic = random.Topic();
            if (random.Next(10) < ((step / 10_000) % 2 == 0 ? 7 : 2))
            {
                Assert.Equal(model.TryAdd(topic, step), index.Set(Bytes(topic), step, out _));
                model[topic] = step;
            }
            else
            {
                Assert.Equal(model.Remove(topic, out int expected), index.Remove(Bytes(topic), out int removed));
                Assert.Equal(expected, removed);
            }
            if (step % 200 == 0)
            {
                string filter = random.Filter();
                List<(string Topic, int Value)> entries = ReadAll(index, filter);
                IEnumerable<(string, int)> matching = model.Where(pair => ReferenceMatcher.Matches(filter, pair.Key)).Select(pair => (pair.Key, pair.Value));
                Assert.True(matching.ToHashSet().SetEquals(entries), $"seed {random.Seed} step {step}: '{filter}'");
                Assert.Equal(entries.Count, entries.Distinct().Count());
                Assert.Equal(model.Count, index.Count);
                Assert.Equal(model.Keys.Sum(key => (long)Bytes(key).Length), index.TopicBytes);
            }
        }
        foreach ((string topic, int value) in model)
        {
            Assert.True(index.TryGet(Bytes(topic), out int found));
            Assert.Equal(value, found);
        }
    }

    [Fact]
    public void A_reader_must_not_change_the_index()
    {
        TopicIndex<int> index = new();
        index.Set("a"u8, 1, out _);
        Assert.Throws<InvalidOperationException>(() =>
        {
            TopicCursor cursor = default;
            Meddler meddler = new() { Index = index };
            index.Read("#"u8, ref cursor, 10, ref meddler);
        });
        Assert.True(index.Remove("a"u8, out _));
    }

    [Fact]
    public void A_page_that_fits_its_buffers_allocates_nothing()
    {
        TopicIndex<object> index = new();
        object value = new();
        for (int i = 0; i < 2_000; i++)
        {
            index.Set(Bytes($"site/{i % 40}/device/{i}"), value, out _);
        }
        TopicCursor cursor = default;
        Counter counter = default;
        index.Read("site/+/device/5"u8, ref cursor, 10_000, ref counter);
        Assert.Equal(1, counter.Count);
        Assert.Equal(0, Allocations.Least(() =>
        {
            counter = default;
            for (int i = 0; i < 100; i++)
            {
                cursor = default;
                while (index.Read("site/+/device/5"u8, ref cursor, 10, ref counter))
                {
                }
            }
        }));
        Assert.Equal(100, counter.Count);
    }

    internal static List<(string Topic, T Value)> ReadAll<T>(TopicIndex<T> index, string filter)
    {
        List<(string, T)> entries = [];
        PageReader<T> reader = new(entries, int.MaxValue);
        TopicCursor cursor = default;
        Assert.False(index.Read(Bytes(filter), ref cursor, int.MaxValue, ref reader));
        Assert.True(cursor.IsEnd);
        return entries;
    }

    private struct Meddler : ITopicReader<int>
    {
        public TopicIndex<int> Index;

        public readonly bool Read(ReadOnlyMemory<byte> topic, int value) => Index.Remove(topic.Span, out _);
    }

    private struct Counter : ITopicReader<object>
    {
        public int Count;

        public bool Read(ReadOnlyMemory<byte> topic, object value) => ++Count >= 0;
    }
}
