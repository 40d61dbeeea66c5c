using Xunit.Abstractions;
using static Trunkline.Topics.Tests.Utf8Text;

namespace Trunkline.Topics.Tests;

/// <summary>The guarantee of paged reading: what stays comes exactly once, anything else at most once, work is bounded.</summary>
public class TopicIndexPagingTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(23)]
    public void What_stays_comes_exactly_once_whatever_changes_between_pages(int seed)
    {
        RandomTopics random = new(output, seed);
        TopicIndex<int> index = new();
        string[] topics = Enumerable.Range(0, 600).Select(_ => random.Topic()).Distinct().ToArray();
        HashSet<string> present = [];
        for (int round = 0; round < 200; round++)
        {
            Change(random, topics, index, present, 200);
            string filter = random.FilterFor(topics[random.Next(topics.Length)]);
            HashSet<string> stayed = present.Where(topic => ReferenceMatcher.Matches(filter, topic)).ToHashSet();
            HashSet<string> everPresent = [.. stayed];
            List<(string Topic, int Value)> entries = [];
            TopicCursor cursor = default;
            bool more = true;
            while (more)
            {
                PageReader<int> reader = new(entries, 1 + random.Next(4));
                more = index.Read(Bytes(filter), ref cursor, 1 + random.Next(20), ref reader);
                Assert.Equal(more, !cursor.IsEnd);
                Assert.True(TopicCursor.TryFromToken(cursor.ToToken(), out TopicCursor travelled));
                Assert.Equal(cursor, travelled);
                cursor = travelled;
                Change(random, topics, index, present, random.Next(6));
                stayed.IntersectWith(present);
                everPresent.UnionWith(present);
            }
            List<string> read = entries.ConvertAll(entry => entry.Topic);
            string where = $"seed {random.Seed} round {round} '{filter}'";
            Assert.True(read.Count == read.Distinct().Count(), $"{where}: twice");
            Assert.True(stayed.IsSubsetOf(read), $"{where}: missed {string.Join(' ', stayed.Except(read))}");
            Assert.True(everPresent.IsSupersetOf(read) && read.All(topic => ReferenceMatcher.Matches(filter, topic)), where);
        }
    }

    [Fact]
    public void A_reading_looks_at_each_entry_once_at_most_and_skips_what_cannot_match()
    {
        TopicIndex<int> index = new();
        for (int i = 0; i < 20_000; i++)
        {
            index.Set(Bytes($"site/{i / 200:000}/device/{i % 200:000}"), i, out _);
        }
        Assert.InRange(CountSteps(index, "site/050/device/100", out int found), 1, 2);
        Assert.Equal(1, found);
        Assert.InRange(CountSteps(index, "site/050/#", out found), 200, 202);
        Assert.Equal(200, found);
        Assert.InRange(CountSteps(index, "site/+/device/100", out found), 200, 402); // Per site: its first, the match, one beyond.
        Assert.Equal(100, found);
        Assert.InRange(CountSteps(index, "+/+/+/x", out found), 100, 302);
        Assert.Equal(0, found);
        Assert.InRange(CountSteps(index, "none/#", out found), 0, 1);
        Assert.InRange(CountSteps(index, "+", out found), 1, 2);
        Assert.Equal(20_000, CountSteps(index, "+/+/+/+", out found));
        Assert.Equal(20_000, CountSteps(index, "+/+/+/+/#", out found));
        Assert.Equal(20_000, found);
    }

    [Fact]
    public void Hidden_topics_are_skipped_in_one_step_and_read_by_all()
    {
        TopicIndex<int> index = new();
        for (int i = 0; i < 1_000; i++)
        {
            index.Set(Bytes($"$SYS/{i}"), i, out _);
        }
        index.Set("!"u8, 1, out _);
        index.Set("z"u8, 2, out _);
        Assert.Equal(3, CountSteps(index, "#", out int found));
        Assert.Equal(2, found);
        Assert.InRange(CountSteps(index, "$SYS/999", out found), 1, 2);
        List<(string, int)> all = [];
        TopicCursor cursor = default;
        PageReader<int> reader = new(all, int.MaxValue);
        while (index.ReadAll(ref cursor, 100, ref reader))
        {
        }
        Assert.Equal(1_002, all.Count);
    }

    [Fact]
    public void Topics_and_filters_of_65535_bytes_are_read_without_recursion()
    {
        byte[] slashes = new byte[65_535];
        slashes.AsSpan().Fill((byte)'/');
        TopicIndex<int> index = new();
        index.Set(slashes, 1, out _);
        index.Set(slashes.AsSpan(1), 2, out _);
        index.Set("/"u8, 3, out _);
        byte[] pluses = Bytes(string.Join('/', Enumerable.Repeat("+", 32_768)));
        Assert.Equal(3, CountSteps(index, "#", out int found));
        Assert.Equal(3, found);
        Assert.InRange(CountSteps(index, Text(pluses), out found), 1, 3);
        Assert.Equal(0, found);
        Assert.Equal(1, CountSteps(index, Text(slashes), out found));
        Assert.Equal(1, found);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("..")]
    [InlineData("?a")]
    public void What_is_no_token_is_refused(string token) => Assert.False(TopicCursor.TryFromToken(Bytes(token), out _));

    [Fact]
    public void Any_place_is_lawful_even_a_forged_one()
    {
        TopicIndex<int> index = new();
        index.Set("a"u8, 1, out _);
        foreach (byte[] token in new byte[][] { [(byte)'>', 0, 255], [(byte)'='], [(byte)'>'], [(byte)'=', 255, 255] })
        {
            Assert.True(TopicCursor.TryFromToken(token, out TopicCursor cursor));
            List<(string, int)> entries = [];
            PageReader<int> reader = new(entries, 10);
            Assert.False(index.Read("#"u8, ref cursor, 10, ref reader));
            Assert.InRange(entries.Count, 0, 1);
        }
    }

    private static int CountSteps(TopicIndex<int> index, string filter, out int found)
    {
        List<(string, int)> entries = [];
        PageReader<int> reader = new(entries, int.MaxValue);
        TopicCursor cursor = default;
        int steps = index.Count == 0 ? 0 : 1;
        while (index.Read(Bytes(filter), ref cursor, 1, ref reader))
        {
            steps++;
        }
        found = entries.Count;
        return steps;
    }

    private static void Change(RandomTopics random, string[] topics, TopicIndex<int> index, HashSet<string> present, int times)
    {
        for (int i = 0; i < times; i++)
        {
            string topic = topics[random.Next(topics.Length)];
            if (random.Next(2) == 0)
            {
                index.Set(Bytes(topic), i, out _);
                present.Add(topic);
            }
            else
            {
                index.Remove(Bytes(topic), out _);
                present.Remove(topic);
            }
        }
    }
}
