using Trunkline.Directory;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Protocol;
using Trunkline.ProxyTests.Support;

namespace Trunkline.ProxyTests.Sessions;

/// <summary>A step that throws over an answer of the directory ends that attempt, and is told.</summary>
public sealed class GateFaultTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_step_that_throws_is_reported_and_its_device_refused(bool comesLater)
    {
        StagedDirectory? staged = null;
        await using TestNode node = await TestNode.StartAsync(
            new DirectoryMemory(TimeProvider.System), "faulty", inner => staged = new StagedDirectory(inner));
        node.FaultsExpected = 1;
        node.GateOf("d").Keeper.Due = (_, _) => throw new InvalidOperationException("thrown by the test");
        staged!.Changes = claim => claim with { OwesWill = true };
        staged.AnswersGoOn = comesLater ? StagedDirectory.Held() : StagedDirectory.Done();
        await using TestDevice device = await TestDevice.DialAsync(node.EndPoint);
        await device.SendConnectAsync("d");
        await staged.NextAskedAsync("granted d");
        staged.AnswersGoOn.TrySetResult();
        Assert.Equal(ReasonCode.UnspecifiedError, await device.ReadConnAckAsync());

        staged.Changes = claim => claim;
        await using TestDevice again = await TestDevice.ConnectAsync(node.EndPoint, "d");
    }
}
