using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Hosting;
using Trunkline.Hosting.Configuration;
using Trunkline.Hosting.Management;
using Trunkline.Hosting.Metrics;
using Trunkline.Hosting.Tests.Support;
using Trunkline.Protocol;
using Trunkline.Proxy;
using Trunkline.ProxyTests.Docs;

namespace Trunkline.ProxyTests;

public sealed partial class ProxyNodeTests
{
    [Fact]
    public async Task A_scrape_after_traffic_names_no_client_and_no_topic_and_every_metric_is_documented()
    {
        using var exporter = new PrometheusExporter();
        await using ManagementServer management = await ManagementServer.StartAsync(
            new ManagementOptions { Address = "127.0.0.1:0" }, NullLoggerFactory.Instance, () => new HealthReport(true, true, []));
        await using ProxyNode node = await StartAsync();
        await using TestDevice device = await TestDevice.ConnectAsync(EndPointOf(node), "secret-client");
        await device.SubscribeAsync("secret/topic");
        await device.PublishAsync("secret/topic", "secret-payload");
        Assert.Equal("secret/topic", (await device.ReadPublishAsync()).Topic);

        string text = exporter.Render();
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.Contains("\ntrunkline_connections 1\n", text, StringComparison.Ordinal);
        Assert.Contains("trunkline_messages_received_total{qos=\"1\"} 1\n", text, StringComparison.Ordinal);

        string[] names = [.. Type().Matches(text).Select(match => match.Groups["name"].Value)];
        Assert.Equal(names.Distinct(), names);
        Assert.All(Type().Matches(text), match => Assert.Equal(match.Groups["kind"].Value == "counter", match.Groups["name"].Value.EndsWith("_total", StringComparison.Ordinal)));
        Assert.All(names, name => Assert.Matches("^[a-z][a-z0-9_]*$", name));
        Assert.All(Labels().Matches(text), match => Assert.Contains(match.Groups[1].Value, KnownLabels));
        Assert.DoesNotMatch("# HELP \\S+ \n", text);
        Assert.Equal(
            names.Order(StringComparer.Ordinal),
            DocumentTable.Rows("METRICS.md").Select(row => row.Name).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_dashboards_and_alerts_ask_for_documented_metrics_only()
    {
        HashSet<string> documented = [.. DocumentTable.Rows("METRICS.md").Select(row => row.Name)];
        foreach (string file in System.IO.Directory.EnumerateFiles(Path.Combine(DocumentTable.Root, "docs", "grafana", "dashboards"), "*.json"))
        {
            foreach (Match name in MetricName().Matches(File.ReadAllText(file)))
            {
                Assert.Contains(HistogramPart().Replace(name.Value, ""), documented);
            }
        }
    }

    [Fact]
    public async Task A_node_starts_again_on_its_ports_in_the_same_process_and_counts_nothing_twice()
    {
        using var exporter = new PrometheusExporter();

        // A port that nobody else is given while no node listens on it.
        int port = FreePorts.Take();
        await using (ProxyNode first = await StartAsync(("Default:MqttPort", $"{port}")))
        {
            await using TestDevice device = await TestDevice.ConnectAsync(EndPointOf(first), "d");
            Assert.Contains("\ntrunkline_connections 1\n", exporter.Render(), StringComparison.Ordinal);
        }

        await using ProxyNode second = await StartAsync(("Default:MqttPort", $"{port}"));
        await using TestDevice again = await TestDevice.ConnectAsync(EndPointOf(second), "d");
        string text = exporter.Render();
        Assert.Contains("\ntrunkline_connections 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\ntrunkline_listener_connections{listener=\"mqtt\"} 1\n", text, StringComparison.Ordinal);
        Assert.Single(Sample().Matches(text), match => match.Value.StartsWith("trunkline_group_up{group=\"group-0\"}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stopping_node_tells_its_devices_and_is_not_ready_any_more()
    {
        ProxyNode node = await StartAsync();
        HealthReport serving = node.Health();
        Assert.True(serving is { HasStarted: true, IsReady: true });
        Assert.Contains(serving.Lines, line => line.StartsWith("group-1: ready.", StringComparison.Ordinal));
        await using TestDevice device = await TestDevice.ConnectAsync(EndPointOf(node), "d", willTopic: "gone/d");
        await using TestDevice silent = await TestDevice.DialAsync(EndPointOf(node));

        await node.DisposeAsync();

        Assert.Equal(ReasonCode.ServerShuttingDown, await device.ReadDisconnectAsync());
        Assert.True(await silent.IsClosedAsync());
        await node.DisposeAsync();
    }

    [Fact]
    public async Task A_node_whose_port_is_taken_says_so_and_leaves_nothing_behind()
    {
        await using ProxyNode first = await StartAsync();
        int port = EndPointOf(first).Port;

        ListenerStartException refusal = await Assert.ThrowsAsync<ListenerStartException>(() => StartAsync(("Default:MqttPort", $"{port}")));
        Assert.Contains($"127.0.0.1:{port}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_never_started_can_be_stopped()
    {
        var node = new ProxyNode(OptionsOf(), NullLoggerFactory.Instance, TimeProvider.System);
        await node.DisposeAsync().AsTask().WaitAsync(Deadline.Long);
    }

    [Fact]
    public async Task A_group_that_is_away_leaves_the_node_ready_but_not_started()
    {
        await using ProxyNode node = await StartAsync(
            ("Groups:0:Kind", "embedded"), ("Groups:1:Kind", "trunkline"), ("Groups:1:Address", "127.0.0.1:1"), ("Links:StartTimeoutMs", "200"));

        HealthReport report = node.Health();
        Assert.True(report is { HasStarted: false, IsReady: true });
        Assert.Contains(report.Lines, line => line.StartsWith("group-0: ready.", StringComparison.Ordinal));
        Assert.Contains(report.Lines, line => line.StartsWith("group-1: connecting.", StringComparison.Ordinal));
        await using TestDevice device = await TestDevice.ConnectAsync(EndPointOf(node), "d");
    }

    private static readonly string[] KnownLabels = ["listener", "reason", "result", "qos", "group", "kind", "event", "operation", "le", "who"];

    private static async Task<ProxyNode> StartAsync(params (string Key, string? Value)[] settings)
    {
        var node = new ProxyNode(OptionsOf(settings), NullLoggerFactory.Instance, TimeProvider.System);
        try
        {
            Assert.Null(await node.StartAsync(CancellationToken.None));
            return node;
        }
        catch
        {
            await node.DisposeAsync().AsTask().WaitAsync(Deadline.Long);
            throw;
        }
    }

    private static ProxyOptions OptionsOf(params (string Key, string? Value)[] settings)
    {
        var errors = new List<ConfigurationError>();
        var all = new Dictionary<string, string?> { ["Default:MqttPort"] = "0", ["Default:WebSocketPort"] = "0", ["Loops"] = "2" };
        foreach ((string key, string? value) in settings)
        {
            all[key] = value;
        }

        ProxyOptions options = ProxyOptionsReader.Read(SettingsOf.Pairs([.. all.Select(pair => (pair.Key, pair.Value))]), errors);
        Assert.Empty(errors);
        return options;
    }

    private static IPEndPoint EndPointOf(ProxyNode node) => node.Listeners[0].Address.ToEndPoint()!;

    [GeneratedRegex("# TYPE (?<name>\\S+) (?<kind>\\S+)\n")]
    private static partial Regex Type();

    [GeneratedRegex("[{,]([a-z_]+)=\"")]
    private static partial Regex Labels();

    [GeneratedRegex("(?m)^[a-z][^ #]* [^\n]*$")]
    private static partial Regex Sample();

    [GeneratedRegex("\\b(trunkline|process|dotnet)_[a-z0-9_]+")]
    private static partial Regex MetricName();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramPart();
}
