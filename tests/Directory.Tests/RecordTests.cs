using System.Globalization;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests;

/// <summary>Records of sessions: the same rules in memory, in Redis and in a Cluster.</summary>
[Collection("redis")]
public sealed class RecordTests(RedisServers servers)
{
    private const uint Hour = 3_600;

    public static TheoryData<string> Kinds => ["memory", "redis", "cluster"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_persistent_session_outlives_its_connection_and_is_found_anywhere(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        var (two, _) = await tier.JoinAsync("two");
        Claim first = await one.MustClaimAsync("a{b}:c", Sets(("m", "\u0001"), ("f:a/#", "1")) with { ExpirySeconds = Hour });
        Assert.False(first.SessionExists);
        Assert.Null(first.Record);
        await one.WriteSessionAsync("a{b}:c", first.Token, Sets(("f:b", "2"), ("o:7", "x"), ("p", "pos")) with { Deletes = ["f:a/#", "q:1"] }).MustAsync();
        StoredSession held = await two.MustReadAsync("a{b}:c");
        Assert.Equal((first.Token, 1, true, Hour), (held.Token, held.AttachNumber, held.Exists, held.ExpirySeconds));
        Assert.Equal("f:b=2,m=\u0001,o:7=x,p=pos", held.Text());

        DirectoryResult<Claim> notFree = await two.ClaimAsync(new("a{b}:c", 1, "", ExpectedHolder.Free) { Change = new() { ClearsAll = true } });
        Assert.Equal((DirectoryStatus.Stale, first.Token, true), (notFree.Status, notFree.Value.Previous, notFree.Value.SessionExists));

        await one.DetachSessionAsync("a{b}:c", first.Token, Sets(("p", "last")) with { Deletes = ["o:7"] }).MustAsync();
        await one.DetachSessionAsync("a{b}:c", first.Token, SessionChange.None).MustAsync();
        Assert.Equal(new Holding(SessionToken.None, 0, "", true) { Generation = two.Health.Generation }, (await two.LookUpAsync("a{b}:c")).Value);
        Assert.Equal(DirectoryStatus.Stale, (await one.WriteSessionAsync("a{b}:c", first.Token, Sets(("p", "late")))).Status);

        Claim second = await two.MustClaimAsync("a{b}:c", new() { ExpirySeconds = 2 * Hour });
        Assert.True(second.SessionExists && second.Previous.IsNone);
        Assert.Equal("f:b=2,m=\u0001,p=last", second.Record.Text());
        Assert.Equal((Hour, NodeId.None), (second.Record!.ExpirySeconds, second.Record.LastNode));
        Assert.Equal(2 * Hour, (await one.MustReadAsync("a{b}:c")).ExpirySeconds);
        Assert.Equal(DirectoryStatus.Stale, (await one.DetachSessionAsync("a{b}:c", first.Token, SessionChange.None)).Status);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Clean_start_clears_and_a_session_without_expiry_goes_with_its_connection(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync();
        Claim first = await one.MustClaimAsync("id", Sets(("f:a", "1")) with { ExpirySeconds = Hour });
        await one.ReleaseAsync("id", first.Token).MustAsync();
        Claim clean = await one.MustClaimAsync("id", Sets(("m", "\u0001")) with { ClearsAll = true });
        Assert.True(clean.SessionExists);
        Assert.Null(clean.Record);
        Assert.Equal((false, "m=\u0001"), ((await one.MustReadAsync("id")).Exists, (await one.MustReadAsync("id")).Text()));
        await one.DetachSessionAsync("id", clean.Token, SessionChange.None).MustAsync();
        Assert.Equal("", (await one.MustReadAsync("id")).Text());
        Assert.Equal(DirectoryStatus.Missing, (await one.DetachSessionAsync("id", clean.Token, SessionChange.None)).Status);

        // Expiry 0 at the end (DISCONNECT may say so) ends a session that had one.
        Claim third = await one.MustClaimAsync("id", new() { ExpirySeconds = Hour });
        await one.DetachSessionAsync("id", third.Token, new() { ExpirySeconds = 0 }).MustAsync();
        Assert.False((await one.MustClaimAsync("id")).SessionExists);
        Assert.Empty(await one.DueAsync("id"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Expiry_comes_due_by_the_directorys_clock_and_ends_the_session_once(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        var (two, _) = await tier.JoinAsync("two");
        Claim never = await one.MustClaimAsync("never", new() { ExpirySeconds = SessionChange.NeverExpires });
        await one.ReleaseAsync("never", never.Token).MustAsync();
        Claim claim = await one.MustClaimAsync("id", Sets(("f:a", "1")) with { ExpirySeconds = 1 });
        await one.ReleaseAsync("id", claim.Token).MustAsync();
        DueItem[] due = [];
        await Eventually.HoldsAsync(async () => (due = await two.DueAsync("id")).Length > 0, "a second has passed");
        Assert.Equal((claim.Token.Epoch, DueKind.Expiry), (Assert.Single(due).Epoch, due[0].Kind));

        // Claimed before anybody did the work: it has expired all the same.
        Claim late = await one.MustClaimAsync("id");
        Assert.Equal((false, "none"), (late.SessionExists, late.Record.Text()));
        Assert.Equal(DirectoryStatus.Stale, (await two.FinishDueAsync(due[0])).Status);
        Assert.Equal(late.Token, (await two.LookUpAsync("id")).Value.Token);
        await one.WriteSessionAsync("id", late.Token, new() { ExpirySeconds = Hour }).MustAsync();
        await one.ReleaseAsync("id", late.Token).MustAsync();
        Assert.Empty(await two.DueAsync("id"));
        await tier.BringForwardAsync("id", 'x');
        await two.FinishDueAsync(Assert.Single(await two.DueAsync("id"))).MustAsync();
        Assert.False((await two.LookUpAsync("id")).Value.SessionExists);
        Assert.Empty(await two.DueAsync("id"));
        Assert.True((await two.MustClaimAsync("never")).SessionExists);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_will_is_due_after_its_delay_and_dropped_by_a_resume_before_it(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        var (two, _) = await tier.JoinAsync("two");
        SessionChange withWill = Sets(("w", "bye")) with { ExpirySeconds = Hour, WillDelaySeconds = 60 };
        Claim first = await one.MustClaimAsync("id", withWill);
        await one.DetachSessionAsync("id", first.Token, SessionChange.None).MustAsync();
        Assert.Empty(await two.DueAsync("id"));
        Claim second = await two.MustClaimAsync("id", withWill);
        Assert.False(second.OwesWill);
        await two.DetachSessionAsync("id", second.Token, SessionChange.None).MustAsync();
        await tier.BringForwardAsync("id", 'w');
        DueItem will = Assert.Single(await one.DueAsync("id"));
        Assert.Equal((second.Token.Epoch, DueKind.Will, "bye"), (will.Epoch, will.Kind, will.Will.Text()));
        await one.FinishDueAsync(will).MustAsync();
        await two.FinishDueAsync(will).MustAsync();
        Assert.Empty(await two.DueAsync("id"));
        Assert.True((await two.LookUpAsync("id")).Value.SessionExists);

        // Dropped by DISCONNECT.
        Claim third = await one.MustClaimAsync("id", withWill);
        await one.DetachSessionAsync("id", third.Token, new() { DropsWill = true }).MustAsync();
        Assert.Null((await one.MustReadAsync("id")).WillDelaySeconds);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_will_that_must_be_published_stands_apart_when_its_session_is_claimed(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        SessionChange Will(string text, uint delay, uint expiry = Hour) => Sets(("w", text)) with { ExpirySeconds = expiry, WillDelaySeconds = delay };

        // The delay passed before the claim; Clean Start; no delay and the connection replaced; no session to keep.
        Claim claim = await one.MustClaimAsync("id", Will("passed", 60));
        await one.DetachSessionAsync("id", claim.Token, SessionChange.None).MustAsync();
        await tier.BringForwardAsync("id", 'w');
        claim = await one.MustClaimAsync("id", Will("cleared", 60));
        Assert.True(claim.OwesWill);
        Assert.Equal("none", (await one.DueAsync("x")).Length == 0 ? "none" : "some");
        async Task ReplaceAsync(SessionChange change, bool owes)
        {
            claim = (await one.ClaimAsync(new("id", 1, "", ExpectedHolder.Exactly, claim.Token) { Change = change })).Value;
            Assert.Equal(owes, claim.OwesWill);
        }

        await ReplaceAsync(Will("at once", 0) with { ClearsAll = true }, owes: true);
        await ReplaceAsync(Will("resumed", 60), owes: true);
        await ReplaceAsync(Will("published by the caller", 0), owes: false);
        await ReplaceAsync(Will("of a clean session", 60, 0) with { DropsWill = true }, owes: false);
        await ReplaceAsync(SessionChange.None, owes: true);
        DueItem[] due = await one.DueAsync("id");
        Assert.Equal(["passed", "cleared", "at once", "of a clean session"], due.Select(d => d.Will.Text()));
        Assert.Equal(4, due.Select(d => d.Epoch).Distinct().Count());
        foreach (DueItem item in due)
        {
            await one.FinishDueAsync(item).MustAsync();
        }

        Assert.Empty(await one.DueAsync("id"));
        Assert.Equal(claim.Token, (await one.LookUpAsync("id")).Value.Token);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_will_of_a_clean_session_outlives_it_until_published(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        Claim claim = await one.MustClaimAsync("id", Sets(("w", "bye")) with { WillDelaySeconds = 600 });
        await one.DetachSessionAsync("id", claim.Token, SessionChange.None).MustAsync();
        Assert.False((await one.LookUpAsync("id")).Value.SessionExists);
        await one.FinishDueAsync(Assert.Single(await one.DueAsync("id"))).MustAsync();
        Assert.Null((await one.MustReadAsync("id")).WillDelaySeconds);

        // A will is due no later than the session's end, and an expiry that is worked off first owes it.
        claim = await one.MustClaimAsync("id", Sets(("w", "end")) with { ExpirySeconds = Hour, WillDelaySeconds = 2 * Hour });
        await one.DetachSessionAsync("id", claim.Token, SessionChange.None).MustAsync();
        await tier.BringForwardAsync("id", 'x');
        await one.FinishDueAsync(Assert.Single(await one.DueAsync("id"))).MustAsync();
        Assert.Equal("end", Assert.Single(await one.DueAsync("id")).Will.Text());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_will_of_a_device_that_was_sent_away_waits_for_it_whatever_becomes_of_its_session(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        var (two, _) = await tier.JoinAsync("two");
        SessionChange Will(uint expiry) => Sets(("w", "bye")) with { ExpirySeconds = expiry, WillDelaySeconds = 0 };
        SessionChange waits = new() { WillWaitSeconds = 60 };

        // Back in time, with and without Clean Start, and sent away again and again: nothing is owed.
        foreach (uint expiry in new[] { 0u, Hour })
        {
            for (int drain = 0; drain < 4; drain++)
            {
                NodeDirectory node = drain % 2 == 0 ? one : two;
                Claim claim = await node.MustClaimAsync("id", Will(expiry) with { ClearsAll = drain == 3 });
                Assert.False(claim.OwesWill);
                await node.DetachSessionAsync("id", claim.Token, waits).MustAsync();
                Assert.Empty(await two.DueAsync("id"));
            }

            // Not back in time, and back later: it is due, once.
            await tier.BringForwardAsync("id", 'w');
            DueItem will = Assert.Single(await two.DueAsync("id"));
            Claim late = await two.MustClaimAsync("id");
            Assert.True(late.OwesWill);
            Assert.Equal(will, Assert.Single(await one.DueAsync("id")), (x, y) => x!.Epoch == y!.Epoch && x.Will.Text() == y.Will.Text());
            await one.FinishDueAsync(will).MustAsync();
            Assert.Empty(await one.DueAsync("id"));
            await two.ReleaseAsync("id", late.Token).MustAsync();
        }

        // The session ends first: only the will is left, waits on, and goes when it is published.
        Claim last = await one.MustClaimAsync("ends", Will(Hour));
        await one.DetachSessionAsync("ends", last.Token, waits).MustAsync();
        await tier.BringForwardAsync("ends", 'x');
        await one.FinishDueAsync(Assert.Single(await one.DueAsync("ends"))).MustAsync();
        Assert.Empty(await two.DueAsync("ends"));
        Assert.False((await two.LookUpAsync("ends")).Value.SessionExists);
        await tier.BringForwardAsync("ends", 'w');
        await two.FinishDueAsync(Assert.Single(await two.DueAsync("ends"))).MustAsync();
        Assert.Empty((await one.MustReadAsync("ends")).Fields);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Batches_answer_for_each_write(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync("one");
        var (two, _) = await tier.JoinAsync("two");
        Claim[] claims = await Task.WhenAll(Enumerable.Range(0, 3_000).Select(i => one.MustClaimAsync("d" + i, new() { ExpirySeconds = Hour })));
        SessionToken theirs = (await two.ClaimAsync(new("d5", 1))).Value.Token;
        await one.ReleaseAsync("d6", claims[6].Token).MustAsync();
        List<SessionWrite> writes = [.. claims.Select((c, i) => new SessionWrite("d" + i, c.Token, Sets(("p", i.ToString(CultureInfo.InvariantCulture)))))];
        writes.Add(new("nobody", claims[0].Token, Sets(("p", "x"))));
        IReadOnlyList<DirectoryResult> results = await one.WriteSessionsAsync(writes);
        Assert.Equal(DirectoryStatus.Stale, results[5].Status);
        Assert.Equal(DirectoryStatus.Stale, results[6].Status);
        Assert.Equal(DirectoryStatus.Missing, results[3_000].Status);
        Assert.Equal(2_998, results.Count(r => r.IsOk));
        Assert.Equal("p=2999", (await two.MustReadAsync("d2999")).Text());
        Assert.Equal(("", theirs), ((await two.MustReadAsync("d5")).Text(), (await two.MustReadAsync("d5")).Token));
        Assert.Empty(await one.WriteSessionsAsync([]));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_record_of_thousands_of_fields_is_written_and_read_whole(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync();
        SessionField[] fields = [.. Enumerable.Range(0, 10_000).Select(i => Field("f:filter/" + i, "" + i))];
        Claim claim = await one.MustClaimAsync("id", new() { ExpirySeconds = Hour, Sets = fields });
        Assert.Equal(fields.Length, (await one.MustReadAsync("id")).Fields.Count);
        await one.WriteSessionAsync("id", claim.Token, new() { Deletes = [.. fields.Skip(1).Select(f => f.Name)] }).MustAsync();
        Assert.Equal("f:filter/0=0", (await one.MustReadAsync("id")).Text());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_record_of_a_newer_version_is_left_alone_but_for_a_clean_start(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, _) = await tier.JoinAsync();
        Claim newer = await one.MustClaimAsync("id", Sets(("m", "\u0003"), ("z:unknown", "kept")) with { ExpirySeconds = Hour });
        await one.ReleaseAsync("id", newer.Token).MustAsync();
        var request = new ClaimRequest("id", 1, "", ExpectedHolder.Free) { KnownVersion = 2, Change = Sets(("m", "\u0002")) };
        DirectoryResult<Claim> refused = await one.ClaimAsync(request);
        Assert.Equal((DirectoryStatus.NewerRecord, true), (refused.Status, refused.Value.SessionExists));
        Assert.Equal("m=\u0003,z:unknown=kept", (await one.MustReadAsync("id")).Text());
        Assert.True((await one.LookUpAsync("id")).Value.Token.IsNone);
        Assert.Equal("m=\u0003,z:unknown=kept", (await one.ClaimAsync(request with { KnownVersion = 3, Change = null })).Value.Record.Text());
        Assert.True((await one.ClaimAsync(request with { Expecting = ExpectedHolder.Any, Change = Sets(("m", "\u0002")) with { ClearsAll = true } })).IsOk);
        Assert.Equal("m=\u0002", (await one.MustReadAsync("id")).Text());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_emptied_directory_gets_whole_records_back_and_late_writes_change_nothing(string kind)
    {
        await using TestTier tier = servers.Tier(kind);
        var (one, events) = await tier.JoinAsync("one");
        SessionToken token = (await one.MustClaimAsync("id", Sets(("f:a", "1")) with { ExpirySeconds = Hour })).Token;
        await servers.EmptyAsync(kind, tier);
        await events.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration);
        Assert.Equal(DirectoryStatus.Missing, (await one.WriteSessionAsync("id", token, Sets(("p", "2")))).Status);
        Assert.Equal(DirectoryStatus.Missing, (await one.DetachSessionAsync("id", token, SessionChange.None)).Status);
        HeldSession held = new("id", token, 1) { Record = Sets(("f:a", "1"), ("p", "2"), ("w", "bye")) with { ExpirySeconds = Hour, WillDelaySeconds = 1 } };
        Assert.Equal(HeldStanding.Restored, Assert.Single((await one.RestoreHeldAsync([held])).Value).Standing);
        Assert.Equal("f:a=1,p=2,w=bye", (await one.MustReadAsync("id")).Text());

        // Also where the token is there: what a rolled-back directory lost of it comes back.
        await one.WriteSessionAsync("id", token, new() { Deletes = ["f:a"], Sets = [Field("o:1", "old")] }).MustAsync();
        Assert.Empty((await one.RestoreHeldAsync([held])).Value);
        Assert.Equal("f:a=1,p=2,w=bye", (await one.MustReadAsync("id")).Text());

        // A write that was given up, as a stopped server still has in its buffer.
        SessionWrite late = new("id", token, Sets(("p", "1")));
        Assert.Equal(Finding.Ok, (await one.Store.WriteAsync(Bucket.Of("id"), new[] { late }, 1, false, default)).Value[0].Finding);
        Assert.Equal("f:a=1,p=2,w=bye", (await one.MustReadAsync("id")).Text());
        await one.DetachSessionAsync("id", token, SessionChange.None).MustAsync();
        Assert.True((await one.LookUpAsync("id")).Value.SessionExists);
    }

    [Fact]
    public void Changes_that_no_caller_may_make_are_refused()
    {
        foreach (SessionChange wrong in new[] { Sets(("e", "1")), new() { Deletes = ["n"] }, Sets(("w", "1")), new() { WillDelaySeconds = 1 }, new() { Deletes = ["w"] }, new() { DropsWill = true, WillWaitSeconds = 1 }, Sets(("", "")) })
        {
            Assert.Throws<ArgumentException>(wrong.Check);
        }
    }

    [Fact]
    public void Stored_positions_that_cannot_be_read_are_values()
    {
        byte[] whole = PositionWire.Write(new NodeCheckpoint(5, [new(1, 2)], [("é🎈", [new(3, 4)])]));
        Assert.Equal("é🎈", PositionWire.ReadCheckpoint([.. whole, 1, 2, 3])!.Laggards[0].ClientId);
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Null(PositionWire.ReadCheckpoint(whole.AsSpan(0, length)));
        }

        whole[0] = 2;
        Assert.Null(PositionWire.ReadCheckpoint(whole));
        Assert.False(PositionWire.TryRead([1, 0, 1, 9], out _));
    }
}
