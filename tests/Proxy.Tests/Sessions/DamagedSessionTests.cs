using System.Globalization;
using Trunkline.Directory;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Proxy;
using Trunkline.ProxyTests.Support;
using Trunkline.Sessions;
using Xunit.Abstractions;

namespace Trunkline.ProxyTests.Sessions;

/// <summary>A stored session that cannot be read whole is set aside, logged and counted, and never keeps its device out.</summary>
public sealed class DamagedSessionTests(ITestOutputHelper output)
{
    private const uint Hour = 3600;
    private readonly DirectoryMemory _memory = new(TimeProvider.System);

    /// <summary>Without a filter or its positions a session would be deaf and not know it; the rest of it is worth less than the session.</summary>
    [Theory]
    [InlineData("m", false)]
    [InlineData("p", false)]
    [InlineData("f:a/b", false)]
    [InlineData("o:7", true)]
    [InlineData("q:7", true)]
    [InlineData("w", true)]
    public async Task What_cannot_be_read_is_set_aside_and_a_session_that_is_not_whole_begins_anew(string damaged, bool goesOn)
    {
        await using TestNode node = await TestNode.StartAsync(_memory, "damaged");
        await StoreAsync(node, "d", [Field("m", [1, 0]), Field("p", [1, 0]), Field(damaged, [1, 0xFF, 0xFF])]);
        await using (TestDevice device = await ConnectAsync(node, "d", willTopic: "wills"))
        {
            Assert.Equal(goesOn, await device.ReadSessionPresentAsync());
            KeeperCounters counters = node.GateOf("d").Keeper.Counters;
            Assert.Equal(damaged == "w" ? 0 : 1, counters.Read(KeeperCounter.FieldsSetAside));
            Assert.Equal(goesOn ? 0 : 1, counters.Read(KeeperCounter.SessionsUnreadable));
            StoredSession stored = (await node.Directory.ReadSessionAsync("d")).Value;
            Assert.Equal((true, Hour, 0u), (stored.Exists, stored.ExpirySeconds, stored.WillDelaySeconds));
            Assert.Equal(goesOn && damaged != "w", stored.Fields.Any(field => field.Name == damaged && field.Value.Length == 3));
            await device.SendAsync(new byte[] { 0xE0, 0x00 });
        }

        await Eventually.HoldsAsync(async () => (await node.HolderAsync("d")).IsNone, "the session is in the directory");
        await using TestDevice back = await ConnectAsync(node, "d");
        Assert.True(await back.ReadSessionPresentAsync());
    }

    [Fact]
    public async Task Noise_in_any_field_crashes_nothing_and_keeps_nobody_out()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("TRUNKLINE_TEST_SEED"), out int given) ? given : Random.Shared.Next();
        output.WriteLine($"TRUNKLINE_TEST_SEED={seed}");
        var random = new Random(seed);
        string[] names = ["m", "p", "w", "t:", "f:a/b", "f:", "f:$share/x", "f:$share/g/a", "o:1", "o:0", "o:x", "o:65536", "q:7", "q:", "z:new"];
        await using TestNode node = await TestNode.StartAsync(_memory, "noise");
        for (int n = 0; n < 300; n++)
        {
            string id = string.Create(CultureInfo.InvariantCulture, $"d{n}");
            SessionField[] fields =
            [
                .. random.GetItems(names, random.Next(1, 6)).Distinct().Where(name => name != "w").Select(name =>
                {
                    // The version is known: of a newer one the device is told to look for a newer proxy.
                    byte[] bytes = new byte[random.Next(30)];
                    random.NextBytes(bytes);
                    return Field(name, bytes.Length == 0 ? bytes : [(byte)random.Next(SessionStateCodec.Version + 1), .. bytes[1..]]);
                }),
            ];
            await StoreAsync(node, id, fields);
            await using TestDevice device = await ConnectAsync(node, id);
            await device.ReadSessionPresentAsync();
            await device.SubscribeAsync("a/b");
        }

        Assert.True(node.Gates.Sum(gate => gate.Keeper.Counters.Read(KeeperCounter.SessionsUnreadable)) > 50);
        Assert.True(node.Gates.Sum(gate => gate.Keeper.Counters.Read(KeeperCounter.FieldsSetAside)) > 100);
    }

    private static SessionField Field(string name, byte[] value) => new(name, value);

    private static async Task StoreAsync(TestNode node, string id, SessionField[] fields)
    {
        bool hasWill = Array.Exists(fields, field => field.Name == SessionField.Will);
        DirectoryResult<Claim> claim = await node.Directory.ClaimAsync(new ClaimRequest(id, 1)
        {
            Change = new SessionChange { ClearsAll = true, ExpirySeconds = Hour, Sets = fields, WillDelaySeconds = hasWill ? Hour : null },
        });
        Assert.True(claim.IsOk, claim.Detail);
        Assert.True((await node.Directory.DetachSessionAsync(id, claim.Value.Token, SessionChange.None)).IsOk);
    }

    private static async Task<TestDevice> ConnectAsync(TestNode node, string clientId, string? willTopic = null)
    {
        TestDevice device = await TestDevice.DialAsync(node.EndPoint);
        await device.SendConnectAsync(clientId, willTopic, expiry: Hour, cleanStart: false);
        return device;
    }
}
