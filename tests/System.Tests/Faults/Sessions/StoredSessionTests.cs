using System.Globalization;
using System.Text.Json;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Faults;

/// <summary>What any proxy says of a session that is away, and of one whose node does not answer.</summary>
public sealed class StoredSessionTests
{
    [ProgramsFact("redis-server")]
    public async Task A_session_that_is_away_is_shown_by_any_proxy()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { ProxySettings = ShortLeases.Settings });
        DateTimeOffset before = TimeProvider.System.GetUtcNow();
        DeviceOptions kept = new() { ClientId = "kept/1", CleanStart = false, SessionExpirySeconds = 3600 };
        FaultDevice device = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, kept);
        await device.SubscribeAsync("shown/#", QoS.ExactlyOnce);
        await device.DisposeAsync();

        JsonElement away = await AwaitAsync(tier, 1, "kept%2F1", view => Text(view, "state") == "away");
        Assert.Equal("kept/1", Text(away, "clientId"));
        DateTimeOffset since = DateTimeOffset.Parse(Text(away, "awaySince"), CultureInfo.InvariantCulture);
        Assert.InRange(since, before.AddSeconds(-1), TimeProvider.System.GetUtcNow().AddSeconds(1));
        Assert.Equal(3600, away.GetProperty("expirySeconds").GetInt32());
        Assert.Equal("shown/#", Text(Assert.Single(away.GetProperty("subscriptions").EnumerateArray()), "filter"));
        Assert.Equal(2, away.GetProperty("positions").GetArrayLength());
        Assert.False(away.GetProperty("hasWill").GetBoolean());
    }

    [ProgramsFact("redis-server")]
    public async Task Of_a_node_that_does_not_answer_another_says_that_it_has_the_session_and_then_that_it_is_lost()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { ProxySettings = ShortLeases.Settings });
        DeviceOptions kept = new() { ClientId = "kept", CleanStart = false, SessionExpirySeconds = 3600 };
        await using FaultDevice device = await FaultDevice.ConnectAsync(tier.Now.Proxies[0].Mqtt, kept);
        await device.SubscribeAsync("shown/#", QoS.ExactlyOnce);
        JsonElement live = await AwaitAsync(tier, 1, "kept", view => view.TryGetProperty("session", out _));
        Assert.Equal("proxy-1", Text(live, "node"));

        await tier.KillAsync("proxy-1");
        JsonElement held = await AwaitAsync(tier, 1, "kept", view => Text(view, "state").Length > 0);
        if (Text(held, "state") == "held")
        {
            Assert.Equal("proxy-1", Text(held, "node"));
        }

        JsonElement lost = await AwaitAsync(tier, 1, "kept", view => Text(view, "state") == "away");
        Assert.NotEqual("", Text(lost, "lostWithNode"));
        Assert.Equal(JsonValueKind.Null, lost.GetProperty("awaySince").ValueKind);
        Assert.Null(await ManagementClient.SessionAsync(tier.Now.Proxies[1].Management, "nobody"));
    }

    private static async Task<JsonElement> AwaitAsync(Tier tier, int proxy, string clientId, Predicate<JsonElement> isWanted)
    {
        JsonElement view = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                string? text = await ManagementClient.SessionAsync(tier.Now.Proxies[proxy].Management, clientId);
                if (text is null)
                {
                    return false;
                }

                using JsonDocument document = JsonDocument.Parse(text);
                view = document.RootElement.Clone();
                return isWanted(view);
            },
            () => $"the proxy says: {view}");
        return view;
    }

    private static string Text(JsonElement view, string name) =>
        view.TryGetProperty(name, out JsonElement value) ? value.GetString() ?? "" : "";
}
