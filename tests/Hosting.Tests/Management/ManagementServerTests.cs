using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Hosting.Management;

namespace Trunkline.Hosting.Tests.Management;

public sealed class ManagementServerTests : IDisposable
{
    private static readonly IPEndPoint AnyPort = new(IPAddress.Loopback, 0);
    private readonly HttpClient _client = new();
    private HealthReport _report = new(false, false, ["The links are not up yet."]);

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Health_goes_from_starting_to_ready_to_stopping()
    {
        await using ManagementServer server = await StartAsync();

        Assert.Equal((200, "ok\n"), await GetAsync(server, "healthz"));
        Assert.Equal((503, "not ok\nThe links are not up yet.\n"), await GetAsync(server, "startupz"));
        Assert.Equal((503, "not ok\nThe links are not up yet.\n"), await GetAsync(server, "readyz"));

        _report = new HealthReport(true, true, ["group-0: ready."]);
        Assert.Equal((200, "ok\ngroup-0: ready.\n"), await GetAsync(server, "startupz"));
        Assert.Equal((200, "ok\ngroup-0: ready.\n"), await GetAsync(server, "readyz"));

        _report = new HealthReport(true, false, ["The node is stopping."]);
        Assert.Equal(200, (await GetAsync(server, "startupz")).Status);
        Assert.Equal((503, "not ok\nThe node is stopping.\n"), await GetAsync(server, "readyz"));
        Assert.Equal(200, (await GetAsync(server, "healthz")).Status);
    }

    [Fact]
    public async Task Metrics_are_prometheus_text()
    {
        await using ManagementServer server = await StartAsync();
        using var meter = new Meter("Trunkline.Tests.Management");
        meter.CreateObservableGauge("trunkline.management.test", () => 42);

        using HttpResponseMessage answer = await _client.GetAsync(new Uri($"http://127.0.0.1:{server.Port}/metrics"));

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Contains("\ntrunkline_management_test 42\n", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_adds_its_own_endpoints_and_others_are_not_found()
    {
        await using ManagementServer server = await StartAsync(application => application.MapGet("/own", () => "mine"));

        Assert.Equal((200, "mine"), await GetAsync(server, "own"));
        Assert.Equal(404, (await GetAsync(server, "other")).Status);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_with_its_holder()
    {
        await using ManagementServer first = await StartAsync();

        var taken = new IPEndPoint(IPAddress.Loopback, first.Port);
        ListenerStartException refusal = await Assert.ThrowsAsync<ListenerStartException>(
            () => ManagementServer.StartAsync(taken, NullLoggerFactory.Instance, () => _report));

        Assert.Contains($"The port is held by process {Environment.ProcessId}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("--management-port", refusal.Message, StringComparison.Ordinal);
    }

    private Task<ManagementServer> StartAsync(Action<WebApplication>? endpoints = null) =>
        ManagementServer.StartAsync(AnyPort, NullLoggerFactory.Instance, () => _report, endpoints: endpoints);

    private async Task<(int Status, string Body)> GetAsync(ManagementServer server, string path)
    {
        using HttpResponseMessage answer = await _client.GetAsync(new Uri($"http://127.0.0.1:{server.Port}/{path}"));
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
