using System.Diagnostics;
using Xunit.Abstractions;
using static Trunkline.Topics.Tests.Utf8Text;

namespace Trunkline.Topics.Tests;

/// <summary>What hostile filters and topics can cost: bounded by what is stored, never exponential in the levels of a topic.</summary>
public class FilterIndexWorkTests(ITestOutputHelper output)
{
    [Fact]
    public void Each_node_is_visited_once_at_most_whatever_the_filters()
    {
        // Every mixture of + and a over 16 levels, each ended by a level that no topic has: the worst case of a trie.
        const int depth = 16;
        FilterIndex<int> index = new();
        for (int bits = 0; bits < 1 << depth; bits++)
        {
            IEnumerable<string> levels = Enumerable.Range(0, depth).Select(level => (bits >> level & 1) == 0 ? "+" : "a");
            index.Add(Bytes(string.Join('/', levels) + "/never"), bits);
        }
        CountCollector<int> none = default;
        byte[] topic = Bytes(string.Join('/', Enumerable.Repeat("a", depth)) + "/x");
        int visits = 0;
        double ms = double.MaxValue;
        for (int round = 0; round < 20; round++)
        {
            long start = Stopwatch.GetTimestamp();
            visits = index.Match(topic, ref none);
            ms = Math.Min(ms, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        output.WriteLine($"{index.Count} filters, {index.NodeCount} nodes, {visits} visits, best of 20: {ms:F1} ms");
        Assert.Equal(0, none.Count);
        // The nodes of 16 levels; the 17th is looked up in vain; the filter of a alone is exact and not in the trie.
        Assert.Equal((1 << (depth + 1)) - 2, visits);
        Assert.True(visits <= index.NodeCount + 1);
        visits = index.Match("b/b"u8, ref none);
        Assert.True(visits <= 3);
    }

    [Theory]
    [InlineData(2, 833)]
    [InlineData(4, 9_401)]
    [InlineData(8, 89_845)]
    public void A_limit_on_wildcards_bounds_the_visits_of_any_match(int limit, int bound)
    {
        // As above, with what the limit lets through: at most the sum of C(17, k + 1) nodes, k from 0 to the limit.
        const int depth = 16;
        TopicLimits limits = new() { MaximumSingleLevelWildcards = limit };
        FilterIndex<int> index = new();
        for (int bits = 0; bits < 1 << depth; bits++)
        {
            IEnumerable<string> levels = Enumerable.Range(0, depth).Select(level => (bits >> level & 1) == 0 ? "+" : "a");
            byte[] filter = Bytes(string.Join('/', levels) + "/never");
            if (ParsedFilter.TryParse(filter, limits, out _, out _))
            {
                index.Add(filter, bits);
            }
        }
        CountCollector<int> none = default;
        int visits = index.Match(Bytes(string.Join('/', Enumerable.Repeat("a", depth)) + "/x"), ref none);
        output.WriteLine($"at most {limit} wildcards: {index.Count} filters, {index.NodeCount} nodes, {visits} visits");
        Assert.InRange(visits, 1, bound);
    }

    [Fact]
    public void A_hundred_thousand_deep_plus_filters_share_their_levels()
    {
        FilterIndex<int> index = new();
        for (int i = 0; i < 100_000; i++)
        {
            index.Add(Bytes(string.Concat(Enumerable.Repeat("+/", 1 + (i % 100))) + i), i);
        }
        CountCollector<int> none = default;
        byte[] topic = Bytes(string.Join('/', Enumerable.Repeat("x", 128)));
        int visits = index.Match(topic, ref none);
        output.WriteLine($"{index.NodeCount} nodes, {visits} visits");
        Assert.Equal(0, none.Count);
        Assert.Equal(101, visits); // The root and 100 levels of +.
    }

    [Fact]
    public void Topics_and_filters_of_65535_slashes_neither_recurse_nor_multiply()
    {
        byte[] slashes = new byte[65_535];
        slashes.AsSpan().Fill((byte)'/');
        byte[] deep = [(byte)'+', .. slashes.AsSpan(1)];
        FilterIndex<string> index = new();
        index.Add(slashes, "exact");
        index.Add(deep, "deep");
        index.Add("#"u8, "all");
        index.Add("/+/#"u8, "two");
        List<string> found = [];
        ListCollector<string> collector = new(found);
        int visits = index.Match(slashes, ref collector);
        Assert.Equal(["all", "exact", "two"], found.Order());
        Assert.InRange(visits, 1, index.NodeCount + 1);
        found.Clear();
        index.Match(slashes.AsSpan(1), ref collector);
        Assert.Equal(["all", "deep", "two"], found.Order());
        Assert.True(index.Remove(deep, "deep"));
        Assert.Equal(2, index.NodeCount);
    }

    [Fact]
    public void Matching_allocates_nothing()
    {
        FilterIndex<object> index = new();
        object value = new();
        for (int i = 0; i < 2_000; i++)
        {
            index.Add(Bytes($"site/{i % 50}/device/{i}/state"), value);
            index.Add(Bytes($"site/+/device/{i}/#"), value);
        }
        index.Add("#"u8, value);
        for (int i = 0; i < 40; i++)
        {
            index.Add("+/+/+/+/+"u8, new object());
        }
        byte[] topic = Bytes("site/17/device/17/state");
        CountCollector<object> count = default;
        index.Match(topic, ref count);
        Assert.Equal(43, count.Count);
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                index.Match(topic, ref count);
            }
        }));
    }
}
