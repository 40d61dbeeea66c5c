using Xunit.Abstractions;

namespace Trunkline.Loadtest.Tests.Delivery;

public sealed class DeliveryCheckTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("0 1 2 3", 4, 0, 0, 0)]
    [InlineData("0 1 3", 4, 1, 0, 0)]
    [InlineData("0 1", 4, 2, 0, 0)]
    [InlineData("", 4, 4, 0, 0)]
    [InlineData("1 2 3", 4, 1, 0, 0)]
    [InlineData("0 1 1 2 2 2 3", 4, 0, 3, 0)]
    [InlineData("0 2 1 3", 4, 0, 0, 1)]
    [InlineData("3 2 1 0", 4, 0, 0, 3)]
    [InlineData("0 5 2 2 4", 7, 3, 1, 2)]
    [InlineData("0 9 5 4 6 1 8", 10, 3, 0, 5)]
    [InlineData("0 1 2 3 0 1 2 3", 4, 0, 4, 0)]
    public void Constructed_histories(string received, uint sent, long lost, int duplicates, int reordered)
    {
        var stream = default(DeliveryStream);
        Arrival[] arrivals = [.. received.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(text => stream.Observe(uint.Parse(text)))];
        Assert.Equal((lost, duplicates, reordered), (stream.MissingOf(sent), Count(arrivals, Arrival.Duplicate), Count(arrivals, Arrival.Reordered)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_histories_agree_with_a_set(int seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        const uint Sent = 2_000;
        var history = new List<uint>();
        for (uint i = 0; i < Sent; i++)
        {
            for (int copies = random.Next(10) switch { 0 => 0, 1 => 2, _ => 1 }; copies > 0; copies--)
            {
                history.Insert(history.Count - random.Next(Math.Min(history.Count, random.Next(5) == 0 ? 20 : 1) + 1), i);
            }
        }

        var stream = default(DeliveryStream);
        var seen = new HashSet<uint>();
        uint highest = 0;
        foreach (uint sequence in history)
        {
            Arrival expected = !seen.Add(sequence) ? Arrival.Duplicate : sequence < highest ? Arrival.Reordered : Arrival.InOrder;
            highest = Math.Max(highest, sequence);
            Assert.Equal(expected, stream.Observe(sequence));
        }

        Assert.Equal(Sent - seen.Count, stream.MissingOf(Sent));
    }

    [Fact]
    public void Gaps_beyond_the_limit_are_settled_and_still_count_as_lost()
    {
        var stream = default(DeliveryStream);
        for (uint i = 0; i < DeliveryStream.MaximumGaps + 10; i++)
        {
            stream.Observe((i * 2) + 1);
        }

        Assert.Equal(DeliveryStream.MaximumGaps + 10, stream.MissingOf(null));
        Assert.Equal(Arrival.Duplicate, stream.Observe(0));
        Assert.Equal(Arrival.Reordered, stream.Observe(1000));
    }

    [Fact]
    public void Messages_of_another_run_are_foreign()
    {
        var check = new DeliveryCheck(7);
        Assert.False(check.TryObserve(new MessageStamp(8, 0, 0, 0), out _));
        Assert.True(check.TryObserve(new MessageStamp(7, 3, 0, 0), out Arrival arrival));
        Assert.Equal(Arrival.InOrder, arrival);
        Assert.Equal((1, 5), (check.MissingOf(3, 2), check.MissingOf(100, 5)));
    }

    [Fact]
    public void Without_a_run_each_publisher_begins_where_it_is_first_seen()
    {
        var check = new DeliveryCheck(null);
        foreach ((uint run, uint sequence) in new[] { (1u, 100u), (1u, 101u), (1u, 104u), (2u, 7u) })
        {
            Assert.True(check.TryObserve(new MessageStamp(run, 0, sequence, 0), out Arrival arrival));
            Assert.Equal(Arrival.InOrder, arrival);
        }

        Assert.Equal(2, check.MissingOfOthers());
    }

    [Fact]
    public void A_stamp_is_read_as_it_was_written()
    {
        var stamp = new MessageStamp(1, uint.MaxValue, 3, long.MaxValue - 1);
        byte[] payload = new byte[MessageStamp.Length + 5];
        stamp.Write(payload);
        Assert.True(MessageStamp.TryRead(payload, out MessageStamp read));
        Assert.Equal(stamp, read);
        Assert.False(MessageStamp.TryRead(payload.AsSpan(0, MessageStamp.Length - 1), out _));
    }

    private static int Count(Arrival[] arrivals, Arrival kind) => arrivals.Count(arrival => arrival == kind);
}
