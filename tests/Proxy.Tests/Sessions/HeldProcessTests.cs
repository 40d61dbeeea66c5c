using Trunkline.Directory;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Proxy;
using Trunkline.ProxyTests.Support;

namespace Trunkline.ProxyTests.Sessions;

/// <summary>
/// FAULTS row 6: a process that was held for a while goes on with answers of the directory from before. Nothing that counts
/// leaves by them.
/// </summary>
public sealed class HeldProcessTests
{
    private readonly DirectoryMemory _memory = new(TimeProvider.System);
    private StagedDirectory? _staged;

    private StagedDirectory Staged => _staged!;

    [Fact]
    public async Task A_QoS_2_message_does_not_leave_by_a_permission_from_before_the_session_was_taken()
    {
        await using TestNode held = await StartAsync();
        await using TestNode other = await TestNode.StartAsync(_memory, "other");
        await using TestDevice device = await TestDevice.ConnectAsync(held.EndPoint, "d", expiry: 3600);
        Staged.WritesGoOn = StagedDirectory.Held();
        await held.DeliverAsync("d");
        await Staged.NextAskedAsync("written d");
        Assert.True((await other.Directory.ClaimAsync(new ClaimRequest("d", 1))).IsOk);

        await HoldAsync(held, "d", Staged.WritesGoOn);

        Assert.Equal(ReasonCode.SessionTakenOver, await device.ReadDisconnectAsync());
        Assert.Equal(1, held.GateOf("d").Keeper.Counters.Read(KeeperCounter.WritesDistrusted));
    }

    [Fact]
    public async Task It_leaves_when_nobody_took_the_session()
    {
        await using TestNode held = await StartAsync();
        await using TestDevice device = await TestDevice.ConnectAsync(held.EndPoint, "d", expiry: 3600);
        Staged.WritesGoOn = StagedDirectory.Held();
        await held.DeliverAsync("d");
        await Staged.NextAskedAsync("written d");

        await HoldAsync(held, "d", Staged.WritesGoOn);

        Assert.Equal("t", (await device.ReadPublishAsync()).Topic);
        await Staged.NextAskedAsync("written d");
    }

    [Fact]
    public async Task A_claim_from_before_opens_nothing_when_another_node_has_claimed_since()
    {
        await using TestNode held = await StartAsync();
        await using TestNode other = await TestNode.StartAsync(_memory, "other");
        Staged.AnswersGoOn = StagedDirectory.Held();
        await using TestDevice device = await TestDevice.DialAsync(held.EndPoint);
        await device.SendConnectAsync("d", expiry: 3600);
        await Staged.NextAskedAsync("granted d");
        DirectoryResult<Claim> taken = await other.Directory.ClaimAsync(new ClaimRequest("d", 1));

        await HoldAsync(held, "d", Staged.AnswersGoOn);

        Assert.Equal(ReasonCode.ServerBusy, await device.ReadConnAckAsync());
        Assert.Equal(taken.Value.Token, await held.HolderAsync("d"));
    }

    /// <summary>The loop stands still as a held process does, and finds the answer waiting when it goes on.</summary>
    private static async Task HoldAsync(TestNode node, string clientId, TaskCompletionSource answer)
    {
        using var goOn = new ManualResetEventSlim();
        var standing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        node.GateOf(clientId).Loop.Post(() =>
        {
            standing.SetResult();
            goOn.Wait(Deadline.Long);
        });
        await standing.Task.WaitAsync(Deadline.Long);
        answer.SetResult();
        await Eventually.LastsAsync(TimeSpan.FromMilliseconds(600));
        goOn.Set();

        // The loop is past the step that waited for the event.
        await node.GateOf(clientId).Loop.InvokeAsync(() => 0);
    }

    private async Task<TestNode> StartAsync()
    {
        TestNode node = await TestNode.StartAsync(_memory, "held", inner => _staged = new StagedDirectory(inner));
        foreach (ConnectionGate gate in node.Gates)
        {
            await gate.Loop.InvokeAsync(() => gate.Keeper.Holds.LimitMs = 200);
        }

        return node;
    }
}
