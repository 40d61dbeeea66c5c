using Trunkline.Directory;
using Trunkline.Hosting.Devices;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Proxy;
using Trunkline.ProxyTests.Support;
using Trunkline.Transports;

namespace Trunkline.ProxyTests.Sessions;

/// <summary>
/// FAULTS row 6: a process is held when it has looked at the directory's answer, written what that permits and not sent it
/// yet. What counts waits until the directory has said again that the session is here.
/// </summary>
public sealed class HeldSendTests
{
    private readonly DirectoryMemory _memory = new(TimeProvider.System);
    private StagedDirectory? _staged;

    private StagedDirectory Staged => _staged!;

    [Fact]
    public async Task It_leaves_when_the_directory_says_so_again()
    {
        await using TestNode held = await StartAsync();
        await using TestDevice device = await TestDevice.ConnectAsync(held.EndPoint, "d", expiry: 3600);

        await HoldBeforeSendAsync(held, () => Task.CompletedTask);

        await Staged.NextAskedAsync("written d");
        Assert.Equal("t", (await device.ReadPublishAsync()).Topic);
        Assert.Equal(1, Count(held, KeeperCounter.SendsWithheld));
        Assert.Equal(0, Count(held, KeeperCounter.SendsWithdrawn));
        Assert.Equal(0, Count(held, KeeperCounter.WritesDistrusted));
    }

    [Fact]
    public async Task It_is_never_sent_when_the_session_was_taken_meanwhile()
    {
        await using TestNode held = await StartAsync();
        await using TestNode other = await TestNode.StartAsync(_memory, "other");
        await using TestDevice device = await TestDevice.ConnectAsync(held.EndPoint, "d", expiry: 3600);

        await HoldBeforeSendAsync(held, async () => Assert.True((await other.Directory.ClaimAsync(new ClaimRequest("d", 1))).IsOk));

        Assert.Equal(ReasonCode.SessionTakenOver, await device.ReadDisconnectAsync());
        Assert.Equal(1, Count(held, KeeperCounter.SendsWithheld));
        Assert.Equal(1, Count(held, KeeperCounter.SendsWithdrawn));
    }

    [Fact]
    public async Task It_waits_while_the_directory_is_away()
    {
        await using TestNode held = await StartAsync();
        await using TestDevice device = await TestDevice.ConnectAsync(held.EndPoint, "d", expiry: 3600);

        await HoldBeforeSendAsync(held, () =>
        {
            Staged.WriteStatus = DirectoryStatus.Unavailable;
            return Task.CompletedTask;
        });
        await Staged.NextAskedAsync("refused d");
        await Staged.NextAskedAsync("refused d");
        Assert.True(await held.GateOf("d").Loop.InvokeAsync(() => TransportOf(held)!.HoldsPermitted));

        Staged.WriteStatus = null;
        Assert.Equal("t", (await device.ReadPublishAsync()).Topic);
        Assert.Equal(1, Count(held, KeeperCounter.SendsWithheld));
    }

    [Fact]
    public async Task A_device_that_leaves_meanwhile_gets_nothing_and_finds_it_at_the_next_connect()
    {
        await using TestNode held = await StartAsync();
        await using TestDevice device = await TestDevice.ConnectAsync(held.EndPoint, "d", expiry: 3600);
        await HoldBeforeSendAsync(held, () =>
        {
            Staged.WriteStatus = DirectoryStatus.Unavailable;
            return Task.CompletedTask;
        });
        await Staged.NextAskedAsync("refused d");

        await device.SendAsync(new byte[] { 0xE0, 0 });

        Assert.True(await device.IsClosedAsync());
        Assert.Equal(1, Count(held, KeeperCounter.SendsWithdrawn));
        Staged.WriteStatus = null;
        await using TestDevice again = await TestDevice.DialAsync(held.EndPoint);
        await again.SendConnectAsync("d", expiry: 3600, cleanStart: false);
        Assert.True(await again.ReadSessionPresentAsync());
        Assert.Equal("t", (await again.ReadPublishAsync()).Topic);
    }

    /// <summary>A QoS 2 message is permitted and written, and the process held before the turn's output is sent.</summary>
    private static async Task HoldBeforeSendAsync(TestNode node, Func<Task> meanwhile)
    {
        Loop loop = node.GateOf("d").Loop;
        using var hold = new Hold(loop, () => TransportOf(node) is { UnsentBytes: > 0 });
        loop.Post(() => loop.AtEndOfTurn(hold));
        await node.DeliverAsync("d");
        await hold.Standing.Task.WaitAsync(Deadline.Long);
        await meanwhile();
        await Eventually.LastsAsync(TimeSpan.FromMilliseconds(600));
        hold.GoOn.Set();
        await loop.InvokeAsync(() => 0);
    }

    private static Transport? TransportOf(TestNode node) =>
        (node.GateOf("d").Context.Registry.Find("d")?.Channel?.Host as DeviceConnection)?.Transport;

    private static long Count(TestNode node, KeeperCounter counter) => node.GateOf("d").Keeper.Counters.Read(counter);

    private async Task<TestNode> StartAsync()
    {
        TestNode node = await TestNode.StartAsync(_memory, "held", inner => _staged = new StagedDirectory(inner));
        foreach (ConnectionGate gate in node.Gates)
        {
            await gate.Loop.InvokeAsync(() => gate.Keeper.Holds.LimitMs = 200);
        }

        return node;
    }

    /// <summary>Looks at the end of each turn whether it is time, and then lets the loop stand still once.</summary>
    private sealed class Hold(Loop loop, Func<bool> isTime) : IEndOfTurn, IDisposable
    {
        public TaskCompletionSource Standing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ManualResetEventSlim GoOn { get; } = new();

        public void OnEndOfTurn()
        {
            if (!isTime())
            {
                loop.Post(() => loop.AtEndOfTurn(this));
                return;
            }

            Standing.SetResult();
            GoOn.Wait(Deadline.Long);
        }

        public void Dispose() => GoOn.Dispose();
    }
}
