using Xunit.Abstractions;
using static Trunkline.Topics.Tests.Utf8Text;

namespace Trunkline.Topics.Tests;

/// <summary>Random histories of the index against a list of pairs and the reference matcher.</summary>
public class FilterIndexModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 30)]
    [InlineData(2, 300)]
    [InlineData(3, 3_000)]
    public void Behaves_as_a_list_of_filters(int seed, int size)
    {
        RandomTopics random = new(output, seed);
        FilterIndex<int> index = new();
        Dictionary<string, HashSet<int>> model = [];
        for (int step = 0; step < 20_000; step++)
        {
            // Waves: it grows to the size, then shrinks to nothing, so that pools and tables are used again.
            bool grow = (step / (size * 2)) % 2 == 0;
            string filter = random.Filter();
            int value = random.Next(3);
            if (random.Next(10) < (grow ? 8 : 2))
            {
                bool added = (model.TryGetValue(filter, out HashSet<int>? values) ? values : model[filter] = []).Add(value);
                Assert.Equal(added, index.Add(Bytes(filter), value));
            }
            else
            {
                if (model.Count > 0 && random.Next(4) > 0)
                {
                    filter = model.Keys.ElementAt(random.Next(Math.Min(model.Count, 50)));
                    value = model[filter].First();
                }
                bool removed = model.TryGetValue(filter, out HashSet<int>? values) && values.Remove(value);
                if (values?.Count == 0)
                {
                    model.Remove(filter);
                }
                Assert.True(removed == index.Remove(Bytes(filter), value), $"seed {random.Seed} step {step}: remove '{filter}'");
            }
            if (step % 10 == 0)
            {
                Compare(random, step, index, model);
            }
        }
        foreach ((string filter, HashSet<int> values) in model)
        {
            foreach (int value in values)
            {
                Assert.True(index.Remove(Bytes(filter), value));
            }
        }
        Assert.Equal((0, 0, 0), (index.Count, index.ValueCount, index.NodeCount));
    }

    private static void Compare(RandomTopics random, int step, FilterIndex<int> index, Dictionary<string, HashSet<int>> model)
    {
        string topic = random.Topic();
        List<int> actual = [];
        ListCollector<int> collector = new(actual);
        int visits = index.Match(Bytes(topic), ref collector);
        List<int> expected = model.Where(pair => ReferenceMatcher.Matches(pair.Key, topic)).SelectMany(pair => pair.Value).ToList();
        actual.Sort();
        expected.Sort();
        Assert.True(expected.SequenceEqual(actual), $"seed {random.Seed} step {step}: '{topic}'");
        Assert.True(visits <= index.NodeCount + 1);
        Assert.Equal(model.Count, index.Count);
        Assert.Equal(model.Sum(pair => pair.Value.Count), index.ValueCount);
    }

    [Fact]
    public void Large_tables_grow_and_shrink_without_losing_anyone()
    {
        RandomTopics random = new(output, 4);
        FilterIndex<int> index = new();
        HashSet<int> present = [];
        for (int target = 10_000; target >= 0; target -= 3_300)
        {
            while (present.Count != Math.Max(target, 0))
            {
                int number = random.Next(20_000);
                byte[] filter = Bytes(number % 2 == 0 ? $"device/{number}/state" : $"device/{number}/+");
                if (present.Count < target && present.Add(number))
                {
                    Assert.True(index.Add(filter, number));
                }
                else if (present.Count > target && present.Remove(number))
                {
                    Assert.True(index.Remove(filter, number));
                }
            }
            for (int number = 0; number < 20_000; number++)
            {
                List<int> actual = [];
                ListCollector<int> collector = new(actual);
                index.Match(Bytes($"device/{number}/state"), ref collector);
                Assert.Equal(present.Contains(number) ? [number] : [], actual);
            }
        }
    }
}
