using System.Globalization;
using System.Text;
using Trunkline.Sessions;
using static Trunkline.Directory.Tests.StreamHarness;

namespace Trunkline.Directory.Tests;

/// <summary>The contract of a group's stream, on a single Redis and on one in Cluster mode.</summary>
[Collection("redis")]
public sealed class StreamTests(RedisServers servers)
{
    [Theory]
    [InlineData("redis")]
    [InlineData("cluster")]
    public async Task Batches_are_read_in_the_order_of_their_appending(string kind)
    {
        await using StreamHarness harness = On(kind);
        GroupStream stream = await harness.OpenAsync("g with} odd {name");
        var appends = Enumerable.Range(0, 50).Select(i => stream.AppendAsync(
            Batch("n/1", 0, (ulong)(i * 3) + 1, $"{i}a", $"{i}b", $"{i}c")).AsTask()).ToArray();
        DirectoryResult<StreamAppended>[] results = await Task.WhenAll(appends);
        Assert.All(results, result => Assert.True(result.IsOk && !result.Value.IsGap, result.Detail));
        Assert.Equal(150UL, results[^1].Value.Last);
        Assert.Equal(Enumerable.Range(0, 50).SelectMany(i => new[] { $"{i}a", $"{i}b", $"{i}c" }), await ReadAllAsync(stream));
        Assert.Equal(results[^1].Value.End, (await stream.ReadEndAsync()).Value);
    }

    [Theory]
    [InlineData("redis")]
    [InlineData("cluster")]
    public async Task A_repeat_is_not_appended_twice(string kind)
    {
        await using StreamHarness harness = On(kind);
        GroupStream one = await harness.OpenAsync();
        GroupStream two = await harness.OpenAsync();
        Assert.Equal(3, (await AppendAsync(one, "n/1", 0, 1, "a", "b", "c")).Added);
        StreamAppended again = await AppendAsync(two, "n/1", 0, 1, "a", "b", "c");
        Assert.Equal((0, 3UL, false), (again.Added, again.Last, again.IsGap));

        // Half of it is new, and another producer has numbers of its own.
        Assert.Equal(2, (await AppendAsync(two, "n/1", 2, 3, "c", "d", "e")).Added);
        Assert.Equal(1, (await AppendAsync(one, "n/2", 0, 1, "x")).Added);
        Assert.Equal(["a", "b", "c", "d", "e", "x"], await ReadAllAsync(one));
    }

    [Fact]
    public async Task A_batch_whose_predecessor_was_lost_is_not_appended()
    {
        await using StreamHarness harness = On("redis");
        GroupStream stream = await harness.OpenAsync();
        await AppendAsync(stream, "n/1", 0, 1, "1");
        StreamAppended gap = await AppendAsync(stream, "n/1", 1, 3, "3");
        Assert.Equal((true, 1UL, 0), (gap.IsGap, gap.Last, gap.Added));
        await AppendAsync(stream, "n/1", 1, 2, "2", "3");
        Assert.Equal(["1", "2", "3"], await ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_producer_that_was_forgotten_goes_on_from_what_it_knows()
    {
        await using StreamHarness harness = On("redis");
        GroupStream stream = await harness.OpenAsync();
        Assert.False((await AppendAsync(stream, "n/1", 41, 42, "42")).IsGap);
        Assert.True((await AppendAsync(stream, "n/2", 41, 43, "43")).IsGap);
        Assert.Equal(["42"], await ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_message_under_an_id_of_its_own_is_appended_once_whoever_brings_it_first()
    {
        await using StreamHarness harness = On("redis");
        GroupStream stream = await harness.OpenAsync();
        await AppendAsync(stream, "a/1", 0, 1, "first");

        // Node b brings what a/1 had appended as its number 1, and what it had not as its number 2.
        StreamEntry Named(string text, string id) => new(Encoding.UTF8.GetBytes(text), id);
        await stream.AppendAsync(new StreamBatch("b/1", 0, 1, [Named("first again", "a/1#1"), Named("second", "a/1#2")], default));
        await stream.AppendAsync(new StreamBatch("b/1", 2, 3, [Named("second again", "a/1#2"), Named("will", "will:dev:17")], default));
        await stream.AppendAsync(new StreamBatch("c/1", 0, 1, [Named("will again", "will:dev:17")], default));

        // The late first copy of a/1's number 2, with a new one behind it.
        StreamAppended late = await AppendAsync(stream, "a/1", 1, 2, "second, late", "third");
        Assert.Equal((1, 3UL), (late.Added, late.Last));
        Assert.Equal(["first", "second", "will", "third"], await ReadAllAsync(stream));
    }

    [Theory]
    [InlineData("redis")]
    [InlineData("cluster")]
    public async Task A_page_ends_at_its_limits_and_the_next_goes_on(string kind)
    {
        await using StreamHarness harness = On(kind, new GroupStreamOptions { PageBytes = 2_000, PageMessages = 7 });
        GroupStream stream = await harness.OpenAsync();
        string[] messages = [.. Enumerable.Range(0, 100).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        await AppendAsync(stream, "n/1", 0, 1, messages);
        DirectoryResult<StreamPage> page = await stream.ReadAsync(default);
        Assert.Equal((7, true, false), (page.Value.Messages.Count, page.Value.HasMore, page.Value.IsLossy));
        Assert.InRange(page.Value.Left, 93, 110);
        Assert.Equal(messages, await ReadAllAsync(stream));

        string large = new('x', 5_000);
        await AppendAsync(stream, "n/1", 100, 101, large, large, "end");
        page = await stream.ReadAsync((await stream.ReadAsync(default)).Value.Messages[^1].Position);
        Assert.Equal([.. messages, large, large, "end"], await ReadAllAsync(stream));
    }

    [Theory]
    [InlineData("redis")]
    [InlineData("cluster")]
    public async Task A_waiting_read_ends_with_the_first_message_or_empty(string kind)
    {
        await using StreamHarness harness = On(kind, new GroupStreamOptions { TailWaitMs = 300 });
        GroupStream stream = await harness.OpenAsync();
        LogPosition end = (await stream.ReadEndAsync()).Value;
        Assert.Empty((await stream.AwaitAsync(end)).Value.Messages);
        Task<DirectoryResult<StreamPage>> waiting = stream.AwaitAsync(end).AsTask();
        await AppendAsync(stream, "n/1", 0, 1, "a", "b");
        DirectoryResult<StreamPage> page = await waiting;
        while (page.Value.Messages.Count == 0)
        {
            page = await stream.AwaitAsync(end);
        }

        Assert.Equal("a", Encoding.UTF8.GetString(page.Value.Messages[0].Data.Span));

        // The position before a message is the one behind which it is read first.
        DirectoryResult<StreamPage> again = await stream.ReadAsync(page.Value.Messages[0].Position.Before, 1);
        Assert.Equal(page.Value.Messages[0].Position, Assert.Single(again.Value.Messages).Position);
    }

    [Fact]
    public async Task The_bytes_of_a_stream_stay_below_their_limit_and_a_reader_behind_it_is_told()
    {
        await using StreamHarness harness = On("redis", new GroupStreamOptions { MaximumBytes = 64 * 1024 });
        GroupStream stream = await harness.OpenAsync();
        string text = new('x', 968);
        LogPosition start = (await stream.ReadEndAsync()).Value;
        for (ulong i = 0; i < 50; i++)
        {
            await AppendAsync(stream, "n/1", i, i + 1, text);
        }

        Assert.False((await stream.ReadAsync(start)).Value.IsLossy);
        Assert.Equal(50, (await ReadAllAsync(stream, start)).Count);
        for (ulong i = 50; i < 500; i++)
        {
            await AppendAsync(stream, "n/1", i, i + 1, text);
        }

        List<string> kept = await ReadAllAsync(stream, start);
        Assert.InRange(kept.Count, 60, 65);
        DirectoryResult<StreamPage> page = await stream.ReadAsync(start);
        Assert.True(page.Value.IsLossy);

        // Whoever is at the very last one that was trimmed has lost nothing; one before it, a message.
        LogPosition first = page.Value.Messages[0].Position;
        string[] info = (await servers.Single.CommandAsync($"HGET {{{harness.Directory.Prefix}1:log:g}}:t r")).Split("\r\n");
        string[] removed = info[1].Split('-');
        var last = new LogPosition(ulong.Parse(removed[0], CultureInfo.InvariantCulture), ulong.Parse(removed[1], CultureInfo.InvariantCulture) + 1);
        Assert.True(last < first);
        Assert.False((await stream.ReadAsync(last)).Value.IsLossy);
        Assert.True((await stream.ReadAsync(new LogPosition(last.Term - 1, ulong.MaxValue))).Value.IsLossy);
    }

    [Fact]
    public async Task A_large_batch_after_many_small_ones_cuts_as_much_as_it_brings()
    {
        await using StreamHarness harness = On("redis", new GroupStreamOptions { MaximumBytes = 64 * 1024 });
        GroupStream stream = await harness.OpenAsync();
        ulong sent = 0;
        for (; sent < 60; sent++)
        {
            await AppendAsync(stream, "n/1", sent, sent + 1, new string('a', 968));
        }

        // A mark stands at each of those 60.
        string[] batch = [.. Enumerable.Repeat(new string('b', 968), 50)];
        await AppendAsync(stream, "n/1", sent, sent + 1, batch);
        List<string> kept = await ReadAllAsync(stream);
        Assert.InRange(kept.Count, 60, 65);
        Assert.Equal(50, kept.Count(text => text[0] == 'b'));
    }

    [Fact]
    public async Task What_is_left_behind_a_page_is_known_to_a_64th_of_the_retention_and_never_too_little()
    {
        await using StreamHarness harness = On("redis", new GroupStreamOptions { MaximumBytes = 64 * 1024, PageMessages = 10 });
        GroupStream stream = await harness.OpenAsync();
        string text = new('x', 468);
        for (ulong i = 0; i < 300; i++)
        {
            await AppendAsync(stream, "n/1", i, i + 1, text);
        }

        // 500 bytes a message: 131 of them, and a mark each 3. The page and one step between marks may be counted, too.
        int left = (await ReadAllAsync(stream)).Count;
        LogPosition place = default;
        for (StreamPage page = (await stream.ReadAsync(place)).Value; page.HasMore; page = (await stream.ReadAsync(place)).Value)
        {
            left -= page.Messages.Count;
            place = page.Messages[^1].Position;
            Assert.InRange(page.Left, left, left + 4);
        }
    }

    [Fact]
    public async Task A_stream_nobody_appends_to_is_trimmed_by_age()
    {
        await using StreamHarness harness = On("redis", new GroupStreamOptions { MaximumAgeSeconds = 1, TrimIntervalMs = 100 });
        GroupStream stream = await harness.OpenAsync();
        StreamAppended appended = await AppendAsync(stream, "n/1", 0, 1, "a", "b");
        await AppendAsync(stream, "n/1", 2, 3, "c");
        Assert.Equal(["a", "b", "c"], await ReadAllAsync(stream));
        await Eventually.HoldsAsync(async () => (await ReadAllAsync(stream)).Count == 0, "all are older than a second");
        Assert.True((await stream.ReadAsync(appended.End)).Value.IsLossy);
        Assert.True((await stream.ReadEndAsync()).Value > appended.End);
    }

    [Fact]
    public async Task A_position_does_not_go_back_where_the_stream_lost_its_past()
    {
        await using StreamHarness harness = On("redis");
        GroupStream stream = await harness.OpenAsync();
        var known = new LogPosition(99_999_999_999_999, 4);
        await stream.AppendAsync(Batch("n/1", 0, 1, "a", "b") with { Known = known });
        LogPosition end = (await stream.ReadEndAsync()).Value;
        Assert.Equal(new LogPosition(known.Term, 6), end);

        // A node that has not seen it goes on behind it all the same.
        Assert.True((await AppendAsync(stream, "n/2", 0, 1, "c")).End > end);
        Assert.Equal(["a", "b", "c"], await ReadAllAsync(stream));
    }

    [Theory]
    [InlineData("redis")]
    [InlineData("cluster")]
    public async Task Messages_are_read_by_their_positions_within_so_many_bytes_and_what_is_not_there_is_passed_over(string kind)
    {
        await using StreamHarness harness = On(kind);
        GroupStream stream = await harness.OpenAsync();
        await AppendAsync(stream, "n/1", 0, 1, [.. Enumerable.Range(1, 100).Select(i => $"{i:D10}")]);
        LogPosition[] all = [.. (await stream.ReadAsync(default)).Value.Messages.Select(message => message.Position)];
        LogPosition[] asked = [new(1, 1), all[2], all[3], all[50], new(all[99].Term + 1, 1)];
        StreamPage page = (await stream.ReadAtAsync(asked, 1_000)).Value;
        Assert.Equal(["0000000003", "0000000004", "0000000051"], page.Messages.Select(message => Encoding.UTF8.GetString(message.Data.Span)));
        Assert.Equal([all[2], all[3], all[50]], page.Messages.Select(message => message.Position));
        Assert.Equal((0, false), (page.Left, page.HasMore));

        page = (await stream.ReadAtAsync(asked, 15)).Value;
        Assert.Equal([all[2], all[3]], page.Messages.Select(message => message.Position));
        Assert.Equal((2, true), (page.Left, page.HasMore));
        Assert.Equal((0, 4), await LeftAfterAsync(stream, [all[99], .. asked[1..]], 1));
    }

    private static async Task<(int Missing, int Left)> LeftAfterAsync(GroupStream stream, LogPosition[] asked, int bytes)
    {
        StreamPage page = (await stream.ReadAtAsync(asked, bytes)).Value;
        return (1 - page.Messages.Count, (int)page.Left);
    }

    [Fact]
    public async Task Entries_that_others_wrote_into_the_stream_are_handed_on_as_empty()
    {
        await using StreamHarness harness = On("redis");
        GroupStream stream = await harness.OpenAsync();
        LogPosition end = (await stream.ReadEndAsync()).Value;
        await servers.Single.CommandAsync($"XADD {{{harness.Directory.Prefix}1:log:g}}:s * other thing");
        Assert.Equal(0, (await stream.AwaitAsync(end)).Value.Messages[0].Data.Length);
        Assert.Equal([""], await ReadAllAsync(stream, end));
    }

    [Fact]
    public void The_limits_have_limits() => Assert.Equal(
        ["Streams:MaximumBytes", "Streams:PageMessages"],
        new GroupStreamOptions { MaximumBytes = 1, PageMessages = 0 }.Validate().Select(error => error.Path));

    private StreamHarness On(string kind, GroupStreamOptions? options = null) =>
        new(kind == "redis" ? servers.Single : servers.Cluster, options, NextPrefix());
}
