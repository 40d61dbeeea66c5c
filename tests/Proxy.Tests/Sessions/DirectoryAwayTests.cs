using Trunkline.Directory;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Proxy;
using Trunkline.ProxyTests.Support;

namespace Trunkline.ProxyTests.Sessions;

/// <summary>Clean sessions in place of kept ones while the directory is away, and records that a newer version wrote.</summary>
public sealed class DirectoryAwayTests
{
    private readonly DirectoryMemory _memory = new(TimeProvider.System);
    private StagedDirectory? _staged;

    private StagedDirectory Staged => _staged!;

    [Fact]
    public async Task By_serve_clean_a_device_gets_a_clean_session_and_its_kept_one_is_there_when_the_directory_is()
    {
        await using TestNode node = await StartAsync();
        await using (TestDevice kept = await TestDevice.ConnectAsync(node.EndPoint, "d", expiry: 3600))
        {
            await kept.SendAsync(new byte[] { 0xE0, 0x00 });
        }

        await Eventually.HoldsAsync(async () => (await node.HolderAsync("d")).IsNone, "the session is in the directory");
        Staged.ClaimStatus = DirectoryStatus.Unavailable;
        await using TestDevice clean = await DialAsync(node, "d");
        Assert.False(await clean.ReadSessionPresentAsync());
        Assert.True((await node.HolderAsync("d")).IsNone);
        Assert.Equal(1, node.GateOf("d").Keeper.Counters.Read(KeeperCounter.ServedClean));
        await node.Log.AwaitLineAsync(line => line.Contains("are served clean sessions", StringComparison.Ordinal));

        Staged.ClaimStatus = null;
        await using TestDevice back = await DialAsync(node, "d");
        Assert.True(await back.ReadSessionPresentAsync());
        Assert.Equal(ReasonCode.SessionTakenOver, await clean.ReadDisconnectAsync());
        Assert.Equal(node.Directory.Self.Id, (await node.HolderAsync("d")).Node);
        await node.Log.AwaitLineAsync(line => line.Contains("1 devices were served clean", StringComparison.Ordinal));
    }

    [Fact]
    public async Task By_serve_clean_a_session_that_this_node_has_is_not_thrown_away()
    {
        await using TestNode node = await StartAsync();
        await using TestDevice connected = await TestDevice.ConnectAsync(node.EndPoint, "d", expiry: 3600);
        Staged.ClaimStatus = DirectoryStatus.Unavailable;

        await using TestDevice other = await DialAsync(node, "d");
        Assert.Equal(ReasonCode.ServerUnavailable, await other.ReadConnAckAsync());
        Assert.True(await node.HoldsAsync("d"));
    }

    [Theory]
    [InlineData("m")]
    [InlineData("f:a/b")]
    public async Task A_session_that_a_newer_version_wrote_is_left_alone(string newerField)
    {
        await using TestNode node = await StartAsync();
        await StoreAsync(node, newerField);
        IReadOnlyList<SessionField> before = (await node.Directory.ReadSessionAsync("d")).Value.Fields;

        await using TestDevice refused = await DialAsync(node, "d");
        Assert.Equal(ReasonCode.ServerUnavailable, await refused.ReadConnAckAsync());
        await Eventually.HoldsAsync(async () => (await node.HolderAsync("d")).IsNone, "the claim is given up");
        StoredSession stored = (await node.Directory.ReadSessionAsync("d")).Value;
        Assert.True(stored.Exists);
        Assert.Equal(Text(before), Text(stored.Fields));
        Assert.Equal(1, node.GateOf("d").Keeper.Counters.Read(KeeperCounter.SessionsNewer));
        await node.Log.AwaitLineAsync(line => line.Contains("connect to a proxy of that version", StringComparison.Ordinal));

        await using TestDevice clean = await TestDevice.ConnectAsync(node.EndPoint, "d");
    }

    private static IEnumerable<string> Text(IReadOnlyList<SessionField> fields) =>
        fields.Select(field => $"{field.Name} {Convert.ToHexString(field.Value.Span)}").Order(StringComparer.Ordinal);

    private static async Task StoreAsync(TestNode node, string newerField)
    {
        byte[] newer = [2, 0, 0, 0];
        DirectoryResult<Claim> claim = await node.Directory.ClaimAsync(new ClaimRequest("d", 1)
        {
            Change = new SessionChange
            {
                ClearsAll = true,
                ExpirySeconds = 3600,
                Sets = newerField == "m" ? [new("m", newer)] : [new("m", new byte[] { 1, 0 }), new("p", new byte[] { 1, 0 }), new(newerField, newer)],
            },
        });
        Assert.True((await node.Directory.DetachSessionAsync("d", claim.Value.Token, new SessionChange { ExpirySeconds = 3600 })).IsOk);
    }

    private static async Task<TestDevice> DialAsync(TestNode node, string clientId)
    {
        TestDevice device = await TestDevice.DialAsync(node.EndPoint);
        await device.SendConnectAsync(clientId, expiry: 3600, cleanStart: false);
        return device;
    }

    private Task<TestNode> StartAsync() =>
        TestNode.StartAsync(_memory, "staged", inner => _staged = new StagedDirectory(inner), WhenAway.ServeClean);
}
