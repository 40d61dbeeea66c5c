using System.Globalization;
using Trunkline.Directory;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Proxy;
using Trunkline.ProxyTests.Support;
using Trunkline.Sessions;

namespace Trunkline.ProxyTests.Sessions;

/// <summary>What becomes of wills that are due and cannot be read, and which are due when a node is drained.</summary>
public sealed class DueWorkerTests
{
    private readonly DirectoryMemory _memory = new(TimeProvider.System);

    [Fact]
    public async Task Wills_of_a_newer_version_stay_and_do_not_hold_up_the_others()
    {
        await using TestNode node = await TestNode.StartAsync(_memory, "older");
        int bucket = Bucket.Of("d0");
        string[] ids = [.. Enumerable.Range(0, int.MaxValue).Select(n => string.Create(CultureInfo.InvariantCulture, $"d{n}")).Where(id => Bucket.Of(id) == bucket).Take(150)];

        // More of them than are read at a time, and before the damaged one.
        foreach (string id in ids)
        {
            await StoreAsync(node.Directory, id, id == ids[^1] ? [1, 99] : [SessionStateCodec.Version + 1, 1, 2, 3]);
        }

        // Due by the clock of the day, which may be set back a little.
        await Eventually.HoldsAsync(async () => (await node.Directory.ReadDueAsync(bucket, 1_000)).Value.Count == ids.Length, "all are due");
        var worker = new DueWorker(node.Gates, node.GateOf, node.Directory, new NodeOptions { DueIntervalMs = 200 }, node.Log);
        await node.Loops[0].InvokeAsync(() => { worker.Start(); return true; });
        await Eventually.HoldsAsync(async () => (await node.Directory.ReadDueAsync(bucket, 1_000)).Value.Count == ids.Length - 1, "the damaged one is over");
        IReadOnlyList<DueItem> left = (await node.Directory.ReadDueAsync(bucket, 1_000)).Value;
        Assert.All(left, item => Assert.Equal([2, 1, 2, 3], item.Will.ToArray()));
        await Eventually.HoldsAsync(() => node.Gates[0].Keeper.Counters.Read(KeeperCounter.FieldsSetAside) >= ids.Length, "all were looked at");
        Assert.Equal(ids.Length, node.Gates[0].Keeper.Counters.Read(KeeperCounter.FieldsSetAside));
        Assert.Equal(ids.Length - 1, node.Log.Lines.Count(line => line.Contains("is of a newer version", StringComparison.Ordinal)));
        await node.Loops[0].InvokeAsync(() => { worker.Stop(); return true; });
    }

    [Theory]
    [InlineData(3, false)]
    [InlineData(2, true)]
    public async Task Wills_of_a_newer_version_beyond_what_is_remembered_are_looked_at_again(int maximum, bool forgets)
    {
        await using TestNode node = await TestNode.StartAsync(_memory, "older");
        for (int n = 0; n < 3; n++)
        {
            await StoreAsync(node.Directory, $"newer-{n}", [SessionStateCodec.Version + 1, 1, 2, 3]);
        }

        var worker = new DueWorker(
            node.Gates, node.GateOf, node.Directory, new NodeOptions { DueIntervalMs = 200, MaximumNewerWills = maximum }, node.Log);
        await node.Loops[0].InvokeAsync(() => { worker.Start(); return true; });
        KeeperCounters counters = node.Gates[0].Keeper.Counters;
        await Eventually.HoldsAsync(() => counters.Read(KeeperCounter.FieldsSetAside) >= 3, "all were looked at");
        if (forgets)
        {
            await Eventually.HoldsAsync(() => counters.Read(KeeperCounter.FieldsSetAside) > 3, "they are looked at again");
        }

        Assert.Equal(forgets, counters.Read(KeeperCounter.NewerForgotten) > 0);
        await node.Loops[0].InvokeAsync(() => { worker.Stop(); return true; });
    }

    [Fact]
    public async Task A_will_beyond_those_kept_in_mind_is_counted_and_comes_with_a_look()
    {
        await using TestNode node = await TestNode.StartAsync(_memory, "full");
        var worker = new DueWorker(
            node.Gates, node.GateOf, node.Directory, new NodeOptions { DueIntervalMs = 200, MaximumDueInMind = 2 }, node.Log);
        KeeperCounters counters = node.Gates[0].Keeper.Counters;
        worker.Hurry("a", 3_600_000);
        worker.Hurry("b", 3_600_000);
        await node.Loops[0].InvokeAsync(() => true);
        Assert.Equal(0, counters.Read(KeeperCounter.DueNotInMind));

        await StoreAsync(node.Directory, "c", [1, 99]);
        worker.Hurry("c", 1);
        await node.Loops[0].InvokeAsync(() => { worker.Start(); return true; });
        Assert.Equal(1, counters.Read(KeeperCounter.DueNotInMind));
        await Eventually.HoldsAsync(async () => (await DueAsync(node, "c")).Count == 0, "a look finds it");
        await node.Loops[0].InvokeAsync(() => { worker.Stop(); return true; });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    public async Task The_wills_of_devices_that_a_drain_sends_away_wait_for_them_and_those_of_nobody_else(uint expiry)
    {
        await using TestNode node = await TestNode.StartAsync(_memory, "drained");
        await using TestDevice staying = await TestDevice.ConnectAsync(node.EndPoint, "staying", "wills", expiry: expiry);
        await using TestDevice breaking = await TestDevice.ConnectAsync(node.EndPoint, "breaking", "wills", expiry: expiry);
        foreach (ConnectionGate gate in node.Gates)
        {
            await gate.Loop.InvokeAsync(() => gate.Keeper.DrainWillWaitSeconds = 3_600u);
        }

        await breaking.DisposeAsync();
        await Eventually.HoldsAsync(async () => (await DueAsync(node, "breaking")).Count == 1, "the will of who broke off is due");
        await node.Devices.ShutDownAsync(TimeSpan.FromSeconds(20));
        foreach (ConnectionGate gate in node.Gates)
        {
            await await gate.Loop.InvokeAsync(gate.Keeper.WhenAllDetached);
        }

        // It waits in the record, and is gone when the device is back.
        Assert.Empty(await DueAsync(node, "staying"));
        Assert.Single(await DueAsync(node, "breaking"));
        Assert.Equal(1, node.Gates.Sum(gate => gate.Keeper.Counters.Read(KeeperCounter.WillsWaiting)));
        Assert.Contains((await node.Directory.ReadSessionAsync("staying")).Value.Fields, field => field.Name == SessionField.Will);
        DirectoryResult<Claim> back = await node.Directory.ClaimAsync(new ClaimRequest("staying", 1));
        Assert.Equal((expiry > 0, false), (back.Value.SessionExists, back.Value.OwesWill));
        Assert.DoesNotContain((await node.Directory.ReadSessionAsync("staying")).Value.Fields, field => field.Name == SessionField.Will);
    }

    // Without a keep alive of its own a 5.0 device has the cap, 3,600 s.
    [Theory]
    [InlineData(0, 30, 5_400)]
    [InlineData(60, 30, 5_400)]
    [InlineData(0, 7_200, 7_200)]
    public async Task The_will_of_a_device_that_a_drain_sends_away_is_due_when_it_is_not_back(uint expiry, uint least, int dueSeconds)
    {
        var time = new LaterTime();
        await using TestNode node = await TestNode.StartAsync(new DirectoryMemory(time), "drained");
        await using TestDevice vanished = await TestDevice.ConnectAsync(node.EndPoint, "vanished", "wills", expiry: expiry);
        foreach (ConnectionGate gate in node.Gates)
        {
            await gate.Loop.InvokeAsync(() => gate.Keeper.DrainWillWaitSeconds = least);
        }

        await node.Devices.ShutDownAsync(TimeSpan.FromSeconds(20));
        foreach (ConnectionGate gate in node.Gates)
        {
            await await gate.Loop.InvokeAsync(gate.Keeper.WhenAllDetached);
        }

        time.Ahead = TimeSpan.FromSeconds(dueSeconds - 60);
        Assert.DoesNotContain(await DueAsync(node, "vanished"), item => item.Kind == DueKind.Will);
        time.Ahead = TimeSpan.FromSeconds(dueSeconds + 1);
        Assert.Single(await DueAsync(node, "vanished"), item => item.Kind == DueKind.Will);
    }

    /// <summary>The detach takes longer than the next node waits: a device that was sent away is back without its will all the same.</summary>
    [Theory]
    [InlineData(0, true)]
    [InlineData(60, true)]
    [InlineData(0, false)]
    [InlineData(60, false)]
    public async Task A_will_does_not_come_by_a_take_over_whose_last_word_is_late_from_a_node_that_drains(uint expiry, bool drains)
    {
        StagedDirectory? staged = null;
        await using TestNode leaving = await TestNode.StartAsync(_memory, "leaving", directory => staged = new StagedDirectory(directory));
        await using TestNode next = await TestNode.StartAsync(_memory, "next", takeOverDeadlineMs: 300);
        var checkpoints = new CheckpointWriter(leaving.Gates, leaving.Directory, leaving.Numbers, 1_000, leaving.Log);
        await leaving.Loops[0].InvokeAsync(checkpoints.Start);
        await using TestDevice before = await TestDevice.ConnectAsync(leaving.EndPoint, "moved", "wills", expiry: expiry);
        staged!.DetachesGoOn = StagedDirectory.Held();
        if (drains)
        {
            await await leaving.Loops[0].InvokeAsync(() => checkpoints.LeavingAsync());
            foreach (ConnectionGate gate in leaving.Gates)
            {
                await gate.Loop.InvokeAsync(() => gate.Keeper.DrainWillWaitSeconds = 3_600u);
            }

            await leaving.Devices.ShutDownAsync(TimeSpan.FromSeconds(20));
        }

        await using TestDevice back = await TestDevice.ConnectAsync(next.EndPoint, "moved", "wills", expiry: expiry);
        Assert.Equal(1, next.Gates.Sum(gate => gate.Keeper.Counters.Read(KeeperCounter.TakenUnanswered)));
        Assert.Equal(drains ? 0 : 1, (await DueAsync(next, "moved")).Count(item => item.Kind == DueKind.Will));
        staged.DetachesGoOn.SetResult();
        foreach (ConnectionGate gate in leaving.Gates)
        {
            await await gate.Loop.InvokeAsync(gate.Keeper.WhenAllDetached);
        }

        // The late word changes nothing, and the new connection's will stands.
        Assert.Equal(drains ? 0 : 1, (await DueAsync(next, "moved")).Count(item => item.Kind == DueKind.Will));
        Assert.Contains((await next.Directory.ReadSessionAsync("moved")).Value.Fields, field => field.Name == SessionField.Will);
        await leaving.Loops[0].InvokeAsync(checkpoints.Stop);
    }

    private sealed class LaterTime : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }

    private static async Task<IReadOnlyList<DueItem>> DueAsync(TestNode node, string clientId) =>
        [.. (await node.Directory.ReadDueAsync(Bucket.Of(clientId), 1_000)).Value.Where(item => item.ClientId == clientId)];

    private static async Task StoreAsync(IDirectory directory, string id, byte[] will)
    {
        DirectoryResult<Claim> claim = await directory.ClaimAsync(new ClaimRequest(id, 1)
        {
            Change = new SessionChange { ExpirySeconds = 3600, WillDelaySeconds = 0, Sets = [new("m", new byte[] { 1, 0 }), new("w", will)] },
        });
        Assert.True(claim.IsOk, claim.Detail);
        Assert.True((await directory.DetachSessionAsync(id, claim.Value.Token, SessionChange.None)).IsOk);
    }
}
