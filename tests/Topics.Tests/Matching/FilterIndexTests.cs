using Trunkline.Clauses;
using static Trunkline.Topics.Tests.Utf8Text;

namespace Trunkline.Topics.Tests;

public class FilterIndexTests
{
    [Theory]
    [MemberData(nameof(TopicMatcherTests.Table), MemberType = typeof(TopicMatcherTests))]
    [InlineData("#", "$SYS/uptime", false)]
    [InlineData("+/uptime", "$SYS/uptime", false)]
    [InlineData("$SYS/#", "$SYS/uptime", true)]
    [InlineData("+", "$", false)]
    [InlineData("$/+", "$/", true)]
    [Clause(Specification.Mqtt50, "MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.7.2-1", "MQTT-4.7.3-4")]
    [Clause(Specification.Mqtt311, "MQTT-4.7.1-2", "MQTT-4.7.1-3", "MQTT-4.7.2-1", "MQTT-4.7.3-4")]
    public void Matches_as_the_specification_says(string filter, string topic, bool matches)
    {
        FilterIndex<string> index = new();
        index.Add(Bytes(filter), filter);
        Assert.Equal(matches ? [filter] : [], Match(index, topic));
    }

    [Fact]
    public void Every_value_of_every_matching_filter_comes()
    {
        FilterIndex<string> index = new();
        index.Add("a/b"u8, "1");
        index.Add("a/b"u8, "2");
        index.Add("a/+"u8, "1");
        index.Add("a/#"u8, "3");
        index.Add("#"u8, "4");
        index.Add("b/#"u8, "5");
        Assert.Equal(["1", "1", "2", "3", "4"], Match(index, "a/b").Order());
        Assert.Equal((5, 6), (index.Count, index.ValueCount));
    }

    [Fact]
    public void Adding_twice_and_removing_twice_is_told()
    {
        FilterIndex<string> index = new();
        foreach (string filter in new[] { "a/b", "a/+", "#", "+/#" })
        {
            Assert.True(index.Add(Bytes(filter), "x"));
            Assert.False(index.Add(Bytes(filter), "x"));
            Assert.False(index.Remove(Bytes(filter), "y"));
            Assert.True(index.TryGet(Bytes(filter), out FilterValues<string> values));
            Assert.Equal((1, "x"), (values.Count, values[0]));
            Assert.True(index.Remove(Bytes(filter), "x"));
            Assert.False(index.Remove(Bytes(filter), "x"));
            Assert.False(index.TryGet(Bytes(filter), out _));
            Assert.Empty(Match(index, "a/b"));
        }
        Assert.Equal((0, 0, 0), (index.Count, index.ValueCount, index.NodeCount));
    }

    [Fact]
    public void Removal_prunes_the_nodes_that_nobody_needs()
    {
        FilterIndex<string> index = new();
        index.Add("a/b/+/c"u8, "long");
        index.Add("a/+"u8, "short");
        Assert.Equal(5, index.NodeCount);
        index.Remove("a/b/+/c"u8, "long");
        Assert.Equal(2, index.NodeCount);
        Assert.Equal(["short"], Match(index, "a/x"));
        index.Add("a/b/#"u8, "rest");
        Assert.Equal(["rest", "short"], Match(index, "a/b").Order());
    }

    [Fact]
    public void A_node_does_not_keep_the_text_of_a_removed_filter_alive()
    {
        FilterIndex<string> index = new();
        WeakReference text = AddLong(index);
        index.Add("first/+"u8, "short");
        index.Remove([.. "first/+/"u8, .. new string('x', 60_000).Select(c => (byte)c)], "long");
        GC.Collect();
        Assert.False(text.IsAlive);
        Assert.Equal(["short"], Match(index, "first/a"));

        static WeakReference AddLong(FilterIndex<string> index)
        {
            byte[] utf8 = Bytes("first/+/" + new string('x', 60_000));
            index.Add(utf8, "long");
            Assert.True(index.TryGetText(utf8, out TopicFilterText text));
            Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(text.Memory, out ArraySegment<byte> array));
            return new WeakReference(array.Array);
        }
    }

    [Fact]
    public void A_kept_filter_is_shared_not_copied()
    {
        FilterIndex<string> index = new();
        foreach (string filter in new[] { "a/b", "a/+" })
        {
            Assert.True(TopicFilterText.TryParse(Bytes(filter), TopicLimits.Default, out TopicFilterText mine, out _));
            index.Add(mine, "x");
            Assert.True(index.TryGetText(Bytes(filter), out TopicFilterText kept));
            Assert.True(kept.Memory.Equals(mine.Memory));
        }
        Assert.True(TopicFilterText.TryParse("$share/g/c/+"u8, TopicLimits.Default, out TopicFilterText shared, out _));
        index.Add(shared, "y");
        Assert.True(index.TryGetText("c/+"u8, out TopicFilterText bare));
        Assert.Equal("c/+", bare.ToString());
        Assert.Equal(["y"], Match(index, "c/d"));
    }

    [Fact]
    public void An_invalid_topic_with_wildcards_is_not_taken_for_a_filter()
    {
        FilterIndex<string> index = new();
        index.Add("a/+"u8, "x");
        Assert.Equal(["x"], Match(index, "a/+"));
        Assert.Empty(Match(index, "#"));
    }

    [Fact]
    public void A_collector_must_not_change_the_index()
    {
        FilterIndex<string> index = new();
        index.Add("#"u8, "x");
        Assert.Throws<InvalidOperationException>(() =>
        {
            Meddler meddler = new() { Index = index };
            index.Match("a"u8, ref meddler);
        });
        Assert.True(index.Add("a"u8, "y")); // The index is usable again.
    }

    [Fact]
    public void Many_values_under_one_filter_leave_one_by_one()
    {
        FilterIndex<object> index = new();
        object[] values = Enumerable.Range(0, 1_000).Select(_ => new object()).ToArray();
        foreach (object value in values)
        {
            Assert.True(index.Add("cmd/+"u8, value));
            Assert.False(index.Add("cmd/+"u8, value));
        }
        for (int i = 0; i < values.Length; i++)
        {
            CountCollector<object> count = default;
            index.Match("cmd/all"u8, ref count);
            Assert.Equal(values.Length - i, count.Count);
            Assert.True(index.Remove("cmd/+"u8, values[i * 7 % values.Length]));
        }
        Assert.Equal(0, index.Count);
    }

    [Fact]
    public void Walking_gives_each_filter_that_stays_once()
    {
        FilterIndex<int> index = new();
        for (int i = 0; i < 3_000; i++)
        {
            index.Add(Bytes(i % 2 == 0 ? $"stay/{i}" : $"go/{i}/+"), i);
        }
        HashSet<string> seen = [];
        int position = 0, steps = 0;
        while (index.TryNext(ref position, out TopicFilterText filter, out FilterValues<int> values))
        {
            Assert.True(seen.Add(filter.ToString()));
            Assert.Equal(1, values.Count);
            int removed = ((steps * 37) % 3_000) | 1;
            index.Remove(Bytes($"go/{removed}/+"), removed);
            index.Add(Bytes($"new/{steps}"), steps);
            if (++steps > 20_000)
            {
                break;
            }
            index.Remove(Bytes($"new/{steps - 5}"), steps - 5);
        }
        Assert.Equal(1_500, seen.Count(filter => filter.StartsWith("stay/", StringComparison.Ordinal)));
        Assert.False(index.TryNext(ref position, out _, out _));
    }

    private static List<string> Match(FilterIndex<string> index, string topic)
    {
        List<string> values = [];
        ListCollector<string> collector = new(values);
        index.Match(Bytes(topic), ref collector);
        return values;
    }

    private struct Meddler : IFilterCollector<string>
    {
        public FilterIndex<string> Index;

        public readonly void Add(string value) => Index.Remove("#"u8, value);
    }
}
