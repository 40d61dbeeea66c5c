namespace Trunkline.Topics.Tests.Matching;

public sealed class ItemTableTests
{
    private const int Seed = 20261125;

    [Fact]
    public void What_is_not_held_is_not_found()
    {
        var table = new ItemTable<string, Named, ByName>();

        Assert.Null(table.Find("a"));
        Assert.Null(table.Remove("a"));
        Assert.Equal(0, table.Count);
        Assert.Empty(table.Items);
    }

    [Fact]
    public void A_key_is_held_once()
    {
        var table = new ItemTable<string, Named, ByName>();
        table.Add(new Named("a"));

        Assert.Throws<ArgumentException>(() => table.Add(new Named("a")));
        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void Items_of_one_hash_are_told_apart()
    {
        var table = new ItemTable<string, Named, AllAlike>();
        Named[] items = [.. Enumerable.Range(0, 50).Select(i => new Named($"n{i}"))];
        foreach (Named item in items)
        {
            table.Add(item);
        }

        Assert.Same(items[17], table.Remove("n17"));
        Assert.Null(table.Find("n17"));
        Assert.All(items.Where(item => item.Name != "n17"), item => Assert.Same(item, table.Find(item.Name)));
    }

    [Fact]
    public void It_agrees_with_a_dictionary_while_it_grows_and_shrinks()
    {
        var random = new Random(Seed);
        var table = new ItemTable<string, Named, ByName>();
        var model = new Dictionary<string, Named>();
        for (int step = 0; step < 60_000; step++)
        {
            // First mostly adds, then mostly removals.
            string name = $"client-{random.Next(5_000)}";
            bool adds = random.Next(10) < (step < 30_000 ? 7 : 3);
            if (adds && !model.ContainsKey(name))
            {
                var item = new Named(name);
                table.Add(item);
                model.Add(name, item);
            }
            else if (!adds)
            {
                model.Remove(name, out Named? removed);
                Assert.Same(removed, table.Remove(name));
            }

            Assert.Equal(model.Count, table.Count);
        }

        Assert.Equal(model.Values.OrderBy(item => item.Name, StringComparer.Ordinal), table.Items.OrderBy(item => item.Name, StringComparer.Ordinal));
        Assert.All(model, pair => Assert.Same(pair.Value, table.Find(pair.Key)));
    }

    [Fact]
    public void Ten_thousand_items_cost_less_than_a_dictionary_would_and_no_large_object()
    {
        Named[] items = [.. Enumerable.Range(0, 10_000).Select(i => new Named($"client-{i}"))];
        long bytes = Allocations.Least(() =>
        {
            var table = new ItemTable<string, Named, ByName>();
            foreach (Named item in items)
            {
                table.Add(item);
            }
        });

        // 16 for the slot, 4 for the bucket, what the first chunks left behind when they grew, and the last chunk's room.
        Assert.InRange(bytes, 10_000 * 20, 10_000 * 28);
    }

    private sealed record Named(string Name);

    private readonly struct ByName : IItemRules<string, Named>
    {
        public static uint HashOf(in string key) => (uint)key.GetHashCode(StringComparison.Ordinal);

        public static string KeyOf(Named item) => item.Name;

        public static bool AreEqual(in string left, in string right) => left == right;
    }

    private readonly struct AllAlike : IItemRules<string, Named>
    {
        public static uint HashOf(in string key) => 7;

        public static string KeyOf(Named item) => item.Name;

        public static bool AreEqual(in string left, in string right) => left == right;
    }
}
