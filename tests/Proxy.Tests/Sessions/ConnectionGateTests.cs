using Trunkline.Directory;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Proxy;
using Trunkline.ProxyTests.Support;
using Trunkline.Sessions;

namespace Trunkline.ProxyTests.Sessions;

public sealed class ConnectionGateTests
{
    private readonly DirectoryMemory _memory = new(TimeProvider.System);
    private StagedDirectory? _staged;

    private StagedDirectory Staged => _staged!;

    [Fact]
    public async Task A_connection_claims_its_identifier_and_gives_it_up_with_its_session()
    {
        await using TestNode node = await StagedNodeAsync();
        TestDevice device = await TestDevice.ConnectAsync(node.EndPoint, "d");
        SessionToken token = await node.HolderAsync("d");
        Assert.Equal(node.Directory.Self.Id, token.Node);

        await device.SendAsync(new byte[] { 0xE0, 0x00 });
        Assert.Equal($"release d {token}", await Staged.NextAskedAsync("release"));
        await device.DisposeAsync();
    }

    [Fact]
    public async Task The_node_that_held_an_identifier_lets_go_before_the_other_answers()
    {
        await using TestNode first = await TestNode.StartAsync(_memory, "first");
        await using TestNode second = await TestNode.StartAsync(_memory, "second");
        await using TestDevice old = await TestDevice.ConnectAsync(first.EndPoint, "d", expiry: 3600);
        await using TestDevice now = await TestDevice.ConnectAsync(second.EndPoint, "d");

        Assert.False(await first.HoldsAsync("d"));
        Assert.Equal(ReasonCode.SessionTakenOver, await old.ReadDisconnectAsync());
        Assert.Equal(second.Directory.Self.Id, (await second.HolderAsync("d")).Node);
        Assert.True(await second.HoldsAsync("d"));
    }

    [Fact]
    public async Task Of_two_CONNECTs_of_one_identifier_the_later_wins_however_late_the_directory_answers()
    {
        await using TestNode node = await StagedNodeAsync();
        Staged.ClaimsGoOn = StagedDirectory.Held();
        await using TestDevice first = await DialAsync(node, "d");
        await Staged.NextAskedAsync("claim d 1");
        await using TestDevice second = await DialAsync(node, "d");

        // The first is refused as soon as the second is there, though its claim is still under way.
        Assert.Equal(ReasonCode.ServerBusy, await first.ReadConnAckAsync());
        Staged.ClaimsGoOn.SetResult();

        Assert.Equal(ReasonCode.Success, await second.ReadConnAckAsync());
        Assert.True(await node.HoldsAsync("d"));
        Assert.Equal("claim d 2", await Staged.NextAskedAsync("claim"));
    }

    [Fact]
    public async Task Of_many_that_wait_only_the_newest_is_kept()
    {
        await using TestNode node = await StagedNodeAsync();
        Staged.ClaimsGoOn = StagedDirectory.Held();
        TestDevice[] devices = new TestDevice[5];
        devices[0] = await DialAsync(node, "d");
        await Staged.NextAskedAsync("claim d 1");
        for (int i = 1; i < devices.Length; i++)
        {
            devices[i] = await DialAsync(node, "d");
            Assert.Equal(ReasonCode.ServerBusy, await devices[i - 1].ReadConnAckAsync());
        }

        Staged.ClaimsGoOn.SetResult();
        Assert.Equal(ReasonCode.Success, await devices[^1].ReadConnAckAsync());
        Assert.Equal("claim d 5", await Staged.NextAskedAsync("claim"));
        foreach (TestDevice device in devices)
        {
            await device.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_CONNECT_that_waits_for_an_older_one_of_its_identifier_waits_no_longer_than_its_own_deadline()
    {
        await using TestNode node = await StagedNodeAsync(new MqttOptions { ClaimDeadlineMs = 3_000 });
        Staged.ClaimsGoOn = StagedDirectory.Held();
        await using TestDevice running = await DialAsync(node, "d");
        await Staged.NextAskedAsync("claim d 1");
        await using TestDevice waiting = await DialAsync(node, "d");
        Assert.True(ReasonCodes.IsError(await running.ReadConnAckAsync()));

        // The claim of the older one never ends, and still the newer is told in time, counted and logged.
        Assert.Equal(ReasonCode.ServerUnavailable, await waiting.ReadConnAckAsync());
        await Eventually.HoldsAsync(() => node.GateOf("d").ClosesOf(CloseCause.ClaimDeadline) >= 1, "the close is counted");
        await Eventually.HoldsAsync(
            () => node.Log.Lines.Any(line => line.Contains("Mqtt:ClaimDeadlineMs", StringComparison.Ordinal)),
            () => string.Join('\n', node.Log.Lines));

        // Nothing is claimed for who has gone, and the next one is served.
        Staged.ClaimsGoOn.SetResult();
        await using TestDevice next = await TestDevice.ConnectAsync(node.EndPoint, "d");
        Assert.True(await node.HoldsAsync("d"));
    }

    [Theory]
    [InlineData(DirectoryStatus.Unavailable, ReasonCode.ServerUnavailable)]
    [InlineData(DirectoryStatus.Recovering, ReasonCode.ServerUnavailable)]
    [InlineData(DirectoryStatus.Busy, ReasonCode.ServerBusy)]
    public async Task While_the_directory_is_away_a_CONNECT_is_refused_and_who_is_connected_stays(object status, object reason)
    {
        await using TestNode node = await StagedNodeAsync();
        await using TestDevice connected = await TestDevice.ConnectAsync(node.EndPoint, "d");
        Staged.ClaimStatus = (DirectoryStatus)status;

        foreach (string clientId in new[] { "d", "e" })
        {
            await using TestDevice refused = await DialAsync(node, clientId);
            Assert.Equal((ReasonCode)reason, await refused.ReadConnAckAsync());
        }

        Assert.True(await node.HoldsAsync("d"));
        Staged.ClaimStatus = null;
        await using TestDevice later = await TestDevice.ConnectAsync(node.EndPoint, "e");
    }

    [Fact]
    public async Task A_CONNECT_with_whose_every_claim_another_node_is_quicker_is_refused_after_so_many()
    {
        await using TestNode node = await TestNode.StartAsync(
            _memory, "staged", inner => _staged = new StagedDirectory(inner), admission: new AdmissionOptions { MaximumClaimTries = 3 });
        Staged.ClaimStatus = DirectoryStatus.Stale;
        await using TestDevice device = await DialAsync(node, "d");
        Assert.Equal(ReasonCode.ServerBusy, await device.ReadConnAckAsync());
        Assert.Equal(1, node.GateOf("d").Keeper.Counters.Read(KeeperCounter.RefusedByTries));
        Assert.Equal(3, Staged.ClaimsAsked);
    }

    [Fact]
    public async Task A_claim_whose_device_has_gone_is_given_up()
    {
        await using TestNode node = await StagedNodeAsync();
        Staged.ClaimsGoOn = StagedDirectory.Held();
        TestDevice device = await DialAsync(node, "d");
        await Staged.NextAskedAsync("claim");
        await device.DisposeAsync();
        Staged.ClaimsGoOn.SetResult();

        Assert.StartsWith("release d ", await Staged.NextAskedAsync("release"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_claim_that_another_node_replaced_on_its_way_opens_nothing()
    {
        await using TestNode slow = await StagedNodeAsync();
        await using TestNode fast = await TestNode.StartAsync(_memory, "fast");
        Staged.AnswersGoOn = StagedDirectory.Held();
        await using TestDevice late = await DialAsync(slow, "d");
        await Staged.NextAskedAsync("granted");

        // The claim is granted, its answer still on the way, when the other node claims.
        await using TestDevice winner = await TestDevice.ConnectAsync(fast.EndPoint, "d");
        Staged.AnswersGoOn.SetResult();

        Assert.Equal(ReasonCode.ServerBusy, await late.ReadConnAckAsync());
        Assert.True(await fast.HoldsAsync("d"));
        Assert.Equal(fast.Directory.Self.Id, (await fast.HolderAsync("d")).Node);
    }

    [Fact]
    public async Task A_take_over_does_not_touch_a_claim_that_came_after_it()
    {
        await using TestNode node = await TestNode.StartAsync(_memory, "node");
        await using TestDevice device = await TestDevice.ConnectAsync(node.EndPoint, "d");
        SessionToken token = await node.HolderAsync("d");
        ProxyGateLetGo(node, token with { Epoch = token.Epoch - 2 }, new SessionToken(token.Epoch - 1, NodeId.NewId(new Random(5))));

        Assert.True(await node.HoldsAsync("d"));
    }

    [Fact]
    public async Task After_a_new_generation_what_is_held_is_written_back()
    {
        await using TestNode node = await StagedNodeAsync();
        await using TestDevice device = await TestDevice.ConnectAsync(node.EndPoint, "d");
        SessionToken token = await node.HolderAsync("d");
        await node.Directory.ReleaseAsync("d", token);
        Assert.True((await node.HolderAsync("d")).IsNone);

        await node.DoubtAsync("d", HeldDoubt.Reconnected);

        Assert.Equal("verify d", await Staged.NextAskedAsync("verify"));
        Assert.Equal("restore d", await Staged.NextAskedAsync("restore"));
        Assert.Equal(token, await node.HolderAsync("d"));
        Assert.True(await node.HoldsAsync("d"));
    }

    [Fact]
    public async Task A_session_that_was_claimed_elsewhere_unheard_is_closed()
    {
        await using TestNode node = await StagedNodeAsync();
        await using TestDevice device = await TestDevice.ConnectAsync(node.EndPoint, "d");
        SessionToken token = await node.HolderAsync("d");
        Stage(new HeldFinding(new HeldSession("d", token, 1), HeldStanding.Stale, new SessionToken(token.Epoch + 1, NodeId.NewId(new Random(5)))));

        await node.DoubtAsync("d", HeldDoubt.Reconnected);

        Assert.Equal(ReasonCode.SessionTakenOver, await device.ReadDisconnectAsync());
    }

    [Fact]
    public async Task An_older_holder_over_which_a_claim_was_written_back_is_told()
    {
        await using TestNode node = await StagedNodeAsync();
        await using TestDevice device = await TestDevice.ConnectAsync(node.EndPoint, "d");
        SessionToken token = await node.HolderAsync("d");
        var older = new SessionToken(token.Epoch - 1, NodeId.NewId(new Random(5)));
        Stage(new HeldFinding(new HeldSession("d", token, 1), HeldStanding.Restored, older));

        await node.DoubtAsync("d", HeldDoubt.NewGeneration);

        Assert.Equal($"take over d {older} {token}", await Staged.NextAskedAsync("take over"));
        Assert.True(await node.HoldsAsync("d"));
    }

    [Fact]
    public async Task A_review_that_was_not_answered_is_asked_again()
    {
        await using TestNode node = await StagedNodeAsync();
        await using TestDevice device = await TestDevice.ConnectAsync(node.EndPoint, "d");
        Staged.Findings.Enqueue(new DirectoryResult<IReadOnlyList<HeldFinding>>(DirectoryStatus.Unavailable, [], "staged"));

        await node.DoubtAsync("d", HeldDoubt.NewGeneration);

        await Staged.NextAskedAsync("restore");
        await Staged.NextAskedAsync("restore");
        Assert.True(await node.HoldsAsync("d"));
    }

    private static void ProxyGateLetGo(TestNode node, SessionToken old, SessionToken now) =>
        node.GateOf("d").Loop.Post(() => node.GateOf("d").LetGo("d", old, now, () => { }));

    private static async Task<TestDevice> DialAsync(TestNode node, string clientId)
    {
        TestDevice device = await TestDevice.DialAsync(node.EndPoint);
        await device.SendConnectAsync(clientId);
        return device;
    }

    private void Stage(HeldFinding finding) =>
        Staged.Findings.Enqueue(new DirectoryResult<IReadOnlyList<HeldFinding>>(DirectoryStatus.Ok, [finding]));

    private Task<TestNode> StagedNodeAsync(MqttOptions? mqtt = null) =>
        TestNode.StartAsync(_memory, "staged", inner => _staged = new StagedDirectory(inner), mqtt: mqtt);
}
