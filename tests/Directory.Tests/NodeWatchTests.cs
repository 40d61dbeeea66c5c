namespace Trunkline.Directory.Tests;

public sealed class NodeWatchTests
{
    private static readonly NodeId Self = new(1);
    private static readonly NodeId Other = new(2);
    private readonly FakeTime _time = new();
    private readonly NodeWatch _watch;

    public NodeWatchTests() => _watch = new NodeWatch(_time, TimeSpan.FromSeconds(5));

    [Fact]
    public void A_counter_that_stands_for_a_full_lease_is_dead()
    {
        Assert.Empty(Read(7));
        for (int second = 1; second < 5; second++)
        {
            _time.Advance(1);
            Assert.Empty(Read(7));
        }

        _time.Advance(1);
        Assert.Equal([new(Other, 7)], Read(7));
    }

    [Fact]
    public void A_raised_counter_begins_anew()
    {
        for (int second = 0; second < 4; second++)
        {
            Assert.Empty(Read(7));
            _time.Advance(1);
        }

        Assert.Empty(Read(8));
        for (int second = 0; second < 4; second++)
        {
            _time.Advance(1);
            Assert.Empty(Read(8));
        }
    }

    [Fact]
    public void The_watchers_own_pause_kills_nobody()
    {
        Read(7);
        _time.Advance(1);
        Read(7);
        _time.Advance(60);
        Assert.Empty(Read(7));
        for (int second = 1; second < 5; second++)
        {
            _time.Advance(1);
            Assert.Empty(Read(7));
        }

        _time.Advance(1);
        Assert.Single(Read(7));
    }

    [Fact]
    public void A_reading_that_was_long_on_its_way_has_seen_nothing()
    {
        Read(7);
        for (int second = 1; second < 5; second++)
        {
            _time.Advance(1);
            Read(7);
        }

        _time.Advance(1);
        long sent = _time.GetTimestamp();
        _time.Advance(3);
        Assert.Empty(_watch.Read("g", 1, sent, _time.GetTimestamp(), Self, [new(Other, 7)]));
    }

    [Theory]
    [InlineData("g2", 1)]
    [InlineData("g", 2)]
    public void Another_generation_or_connection_begins_anew(string generation, long connection)
    {
        for (int second = 0; second < 5; second++)
        {
            Assert.Empty(Read(7));
            _time.Advance(1);
        }

        Assert.Empty(Read(7, generation, connection));
        _time.Advance(1);
        Assert.Empty(Read(7, generation, connection));
    }

    [Fact]
    public void A_break_begins_anew_and_the_watcher_never_suspects_itself()
    {
        for (int second = 0; second < 20; second++)
        {
            Assert.Empty(_watch.Read("g", 1, _time.GetTimestamp(), _time.GetTimestamp(), Self, [new(Self, 1), new(Other, 7)]));
            _time.Advance(1);
            if (second % 4 == 3)
            {
                _watch.Break();
            }
        }
    }

    private List<KeyValuePair<NodeId, long>> Read(long counter, string generation = "g", long connection = 1) =>
        _watch.Read(generation, connection, _time.GetTimestamp(), _time.GetTimestamp(), Self, [new(Self, 1), new(Other, counter)]);
}
