using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Delivery;

/// <summary>
/// The device's own address: behind nginx, by PROXY header and X-Forwarded-For, in the log and on the session page of
/// either proxy. Devices take addresses of 127.0.0.0/8 that nothing else has.
/// </summary>
[Collection(TrunklineTierGroup.Name)]
public sealed class AddressTests(TrunklineTier tier)
{
    [TierFact]
    public async Task Behind_nginx_the_log_and_the_session_page_of_either_proxy_show_the_devices_own_address()
    {
        (TestEndpoint Endpoint, string Listener)[] ways =
        [
            (new TestEndpoint(tier.Nginx.Mqtt) { DeviceAddress = "127.1.0.1" }, "mqtt"),
            (new TestEndpoint(tier.Nginx.Mqtts, AuthorityFile: tier.Tier.Now.Ca) { DeviceAddress = "127.1.0.2" }, "mqtt"),
            (new TestEndpoint(tier.Nginx.Ws, IsWebSocket: true) { DeviceAddress = "127.1.0.3" }, "ws"),
            (new TestEndpoint(tier.First.Mqtt) { DeviceAddress = "127.1.0.4" }, "mqtt"),
            (new TestEndpoint(tier.First.Wss, IsWebSocket: true, tier.Tier.Now.Ca) { DeviceAddress = "127.1.0.5" }, "wss"),
        ];
        foreach ((TestEndpoint endpoint, string listener) in ways)
        {
            await using TestDevice device = await TestDevice.ConnectAsync(endpoint);
            await AssertShownAsync(device.ClientId, endpoint.DeviceAddress, listener);
        }
    }

    [TierFact]
    public async Task Headers_of_a_trusted_proxy_are_believed_in_both_versions_and_over_TLS()
    {
        (TestEndpoint Endpoint, string Address)[] ways =
        [
            (new TestEndpoint(tier.First.Mqtt) { Prologue = "PROXY TCP4 203.0.113.7 127.0.0.1 40000 1883\r\n"u8.ToArray() }, "203.0.113.7:40000"),
            (new TestEndpoint(tier.First.Mqtt) { Prologue = "PROXY TCP6 2001:db8::7 ::1 40001 1883\r\n"u8.ToArray() }, "[2001:db8::7]:40001"),
            (new TestEndpoint(tier.First.Mqtt) { Prologue = SecondVersion("198.51.100.9", 40002) }, "198.51.100.9:40002"),
            (new TestEndpoint(tier.Second.Mqtts, AuthorityFile: tier.Tier.Now.Ca) { Prologue = SecondVersion("198.51.100.10", 40003) }, "198.51.100.10:40003"),
            (new TestEndpoint(tier.Second.Ws, IsWebSocket: true) { ForwardedFor = "203.0.113.8" }, "203.0.113.8"),
        ];
        foreach ((TestEndpoint endpoint, string address) in ways)
        {
            await using TestDevice device = await TestDevice.ConnectAsync(endpoint);
            using JsonDocument view = await ViewAsync(tier.First, device.ClientId);
            Assert.Equal(address, view.RootElement.GetProperty("address").GetString());
        }
    }

    [TierFact]
    public async Task A_header_of_a_stranger_is_refused_and_the_log_names_the_nginx_setting()
    {
        TestEndpoint stranger = new(tier.First.Mqtt)
        {
            DeviceAddress = "127.1.0.9",
            Prologue = "PROXY TCP4 203.0.113.7 127.0.0.1 40000 1883\r\n"u8.ToArray(),
        };
        await Assert.ThrowsAsync<IOException>(() => TestDevice.TryConnectAsync(stranger));
        await AwaitLogAsync(tier.First, "127.1.0.9", "proxy_protocol on;");

        // A web page may claim what it likes: it is its own address that counts.
        TestEndpoint claiming = new(tier.First.Ws, IsWebSocket: true) { DeviceAddress = "127.1.0.10", ForwardedFor = "203.0.113.9" };
        await using TestDevice device = await TestDevice.ConnectAsync(claiming);
        await AssertShownAsync(device.ClientId, "127.1.0.10", "ws");
    }

    [TierFact]
    public async Task The_session_page_shows_connection_subscriptions_and_what_is_in_flight()
    {
        string topic = SharedTier.NewTopic();
        await using TestDevice device = await TestDevice.ConnectAsync(
            tier.Second.Mqtt, new TestDeviceOptions { ClientId = topic + "/with slash", Acknowledges = false, KeepAliveSeconds = 90, SessionExpirySeconds = 60 });
        await device.SubscribeAsync($"{topic}/#", QoS.AtLeastOnce, identifier: 5, noLocal: true);
        await using TestDevice publisher = await TestDevice.ConnectAsync(tier.First.Mqtt);
        await publisher.PublishAsync($"{topic}/a", "held", QoS.AtLeastOnce);
        await device.ReceiveAsync();

        foreach (ProxyDescription asked in new[] { tier.First, tier.Second })
        {
            using JsonDocument view = await ViewAsync(asked, device.ClientId);
            Assert.Equal("proxy-2", view.RootElement.GetProperty("node").GetString());
            JsonElement session = view.RootElement.GetProperty("session");
            Assert.Equal(device.ClientId, session.GetProperty("clientId").GetString());
            Assert.True(session.GetProperty("isConnected").GetBoolean());
            Assert.Equal("5.0", session.GetProperty("version").GetString());
            Assert.Equal(90, session.GetProperty("keepAliveSeconds").GetInt32());
            Assert.Equal(60, session.GetProperty("expirySeconds").GetInt32());
            Assert.Equal(1, session.GetProperty("inFlightOut").GetInt32());
            JsonElement subscription = Assert.Single(session.GetProperty("subscriptions").EnumerateArray());
            Assert.Equal($"{topic}/#", subscription.GetProperty("filter").GetString());
            Assert.Equal(1, subscription.GetProperty("qos").GetInt32());
            Assert.True(subscription.GetProperty("noLocal").GetBoolean());
        }

        using HttpClient client = new();
        using HttpResponseMessage unknown = await client.GetAsync(Page(tier.First, "nobody"));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    private async Task AssertShownAsync(string clientId, string address, string listener)
    {
        string? node = null;
        foreach (ProxyDescription asked in new[] { tier.First, tier.Second })
        {
            using JsonDocument view = await ViewAsync(asked, clientId);

            // X-Forwarded-For names no port.
            Assert.Matches($@"^{Regex.Escape(address)}(:\d+)?$", view.RootElement.GetProperty("address").GetString());
            Assert.Equal(listener, view.RootElement.GetProperty("listener").GetString());
            node = view.RootElement.GetProperty("node").GetString();
        }

        await AwaitLogAsync(tier.Tier.Now.Proxies.Single(proxy => proxy.Name == node), clientId, $" from {address}");
    }

    private Task AwaitLogAsync(ProxyDescription proxy, params string[] texts) => Eventually.HoldsAsync(
        () => tier.Tier.ReadLog(proxy.Name).Split('\n').Any(line => texts.All(text => line.Contains(text, StringComparison.Ordinal))),
        () => $"{proxy.Name} logs {string.Join(" and ", texts)}:\n{tier.Tier.ReadLog(proxy.Name)}");

    private static async Task<JsonDocument> ViewAsync(ProxyDescription proxy, string clientId)
    {
        using HttpClient client = new();
        return (await client.GetFromJsonAsync<JsonDocument>(Page(proxy, clientId)))!;
    }

    private static Uri Page(ProxyDescription proxy, string clientId) =>
        new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{proxy.Management}/sessions/{Uri.EscapeDataString(clientId)}"));

    // Signature, version 2 PROXY, TCP over IPv4, addresses and ports, and a TLV of a type that nobody knows.
    private static byte[] SecondVersion(string address, int port)
    {
        byte[] addresses = [.. IPAddress.Parse(address).GetAddressBytes(), 127, 0, 0, 1, (byte)(port >> 8), (byte)port, 7, 91];
        byte[] unknown = [0xEE, 0, 3, .. "abc"u8];
        return [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, (byte)(addresses.Length + unknown.Length), .. addresses, .. unknown];
    }
}
