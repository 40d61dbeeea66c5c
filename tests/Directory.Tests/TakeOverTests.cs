namespace Trunkline.Directory.Tests;

[Collection("redis")]
public sealed class TakeOverTests(RedisServers servers)
{
    public static TheoryData<string> Kinds => ["memory", "redis", "cluster"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Both_ways_with_any_client_id(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, oneEvents) = await tier.JoinAsync("one");
        var (two, twoEvents) = await tier.JoinAsync("two");
        await oneEvents.NextAsync<RecordingEvents.Appeared>();
        foreach (string id in new[] { "plain", "with space  and\nlines", "T 1 2", "{tag}", "é世🎈" })
        {
            SessionToken first = (await one.ClaimAsync(new(id, 1))).Value.Token;
            Claim second = (await two.ClaimAsync(new(id, 1))).Value;
            Assert.Equal(first, second.Previous);
            Assert.Equal(TakeOverAnswer.Confirmed, await two.RequestTakeOverAsync(id, second.Previous, second.Token));
            TakeOverRequest asked = await oneEvents.NextAsync<TakeOverRequest>();
            Assert.Equal((two.Self.Id, id, first, second.Token), (asked.From, asked.ClientId, asked.OldToken, asked.NewToken));

            Claim third = (await one.ClaimAsync(new(id, 2))).Value;
            Assert.Equal(TakeOverAnswer.Confirmed, await one.RequestTakeOverAsync(id, third.Previous, third.Token));
            Assert.Equal(id, (await twoEvents.NextAsync<TakeOverRequest>()).ClientId);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_late_confirmation_counts_and_repeats_are_told_apart(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, oneEvents) = await tier.JoinAsync("one");
        oneEvents.Confirms = false;
        int asked = 0;
        oneEvents.OnTakeOver = request => _ = ConfirmLater(request);
        var (two, _) = await tier.JoinAsync("two", tier.Options with { TakeOverDeadlineMs = 4_000 });
        SessionToken old = (await one.ClaimAsync(new("id", 1))).Value.Token;
        SessionToken mine = (await two.ClaimAsync(new("id", 1))).Value.Token;
        Assert.Equal(TakeOverAnswer.Confirmed, await two.RequestTakeOverAsync("id", old, mine));
        Assert.Equal(1, asked);

        // 2.3 of 4 s: after the question was repeated at 2, and long before the end on a machine that others use too.
        async Task ConfirmLater(TakeOverRequest request)
        {
            asked++;
            await Eventually.LastsAsync(TimeSpan.FromMilliseconds(2_300));
            request.Confirm();
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Nobody_answers_for_a_silent_or_unknown_node(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, oneEvents) = await tier.JoinAsync("one");
        oneEvents.Confirms = false;
        var (two, _) = await tier.JoinAsync("two", tier.Options with { TakeOverDeadlineMs = 4_000 });
        SessionToken old = (await one.ClaimAsync(new("id", 1))).Value.Token;
        SessionToken mine = (await two.ClaimAsync(new("id", 1))).Value.Token;
        Assert.Equal(TakeOverAnswer.NoAnswer, await two.RequestTakeOverAsync("id", old, mine));
        Assert.Equal(TakeOverAnswer.NoAnswer, await two.RequestTakeOverAsync("id", new(1, new NodeId(42)), mine));
        Assert.Equal(TakeOverAnswer.NoAnswer, await two.RequestTakeOverAsync("id", SessionToken.None, mine));
    }

    [Fact]
    public async Task A_node_that_listens_no_more_is_not_waited_for()
    {
        await using TestTier tier = servers.Tier("redis");
        DirectoryOptions patient = tier.Options with { LeaseMs = 600_000, TakeOverDeadlineMs = 600_000 };
        var (one, _) = await tier.JoinAsync("one", patient);
        var (two, _) = await tier.JoinAsync("two", patient);
        SessionToken old = (await one.ClaimAsync(new("id", 1))).Value.Token;
        SessionToken mine = (await two.ClaimAsync(new("id", 1))).Value.Token;

        // As kill -9 does it: the connections end, the registration stays, and the lease has long to run.
        await one.DisposeAsync();
        Task<TakeOverAnswer> asked = two.RequestTakeOverAsync("id", old, mine).AsTask();
        Assert.Equal(TakeOverAnswer.NoAnswer, await Eventually.InTimeAsync(asked, "the answer that nobody listens"));
        Assert.Contains(two.Nodes, node => node.Id == one.Self.Id);
    }

    [Fact]
    public void Messages_that_cannot_be_read_are_values()
    {
        foreach (string bad in new[] { "", "T", "T 1 2 3", "T x y z 1 2 3 id", "A", "A x", "Z 1", "T 1 0000000000000001 1 0000000000000001 2 0000000000000002 " })
        {
            Assert.False(NodeMessage.TryReadTakeOver(bad, out _));
            Assert.False(NodeMessage.TryReadAnswer(bad, out _));
        }
    }
}
