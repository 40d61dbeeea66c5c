using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Hosting.Management;

namespace Trunkline.Hosting.Tests.Management;

public sealed class ManagementServerTests : IDisposable
{
    private static readonly ManagementOptions AnyPort = new() { Address = "127.0.0.1:0" };
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

        var taken = new ManagementOptions { Address = $"127.0.0.1:{first.Port}" };
        ListenerStartException refusal = await Assert.ThrowsAsync<ListenerStartException>(
            () => ManagementServer.StartAsync(taken, NullLoggerFactory.Instance, () => _report));

        Assert.Contains($"The port is held by process {Environment.ProcessId}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("--management-port", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_beyond_the_limit_is_closed_and_counted_and_those_there_are_served()
    {
        await using ManagementServer server = await ManagementServer.StartAsync(
            AnyPort with { MaximumConnections = 2 }, NullLoggerFactory.Instance, () => _report);
        using var first = new TcpClient();
        await first.ConnectAsync(IPAddress.Loopback, server.Port);
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(first), StringComparison.Ordinal);
        using var second = new TcpClient();
        await second.ConnectAsync(IPAddress.Loopback, server.Port);
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(second), StringComparison.Ordinal);

        Assert.Equal("", await AskAnewAsync(server.Port));

        Assert.Contains("trunkline_management_refused_total 1", await AskAsync(first, "metrics"), StringComparison.Ordinal);
        first.Close();
        await Eventually.HoldsAsync(
            async () => (await AskAnewAsync(server.Port)).StartsWith("HTTP/1.1 200", StringComparison.Ordinal),
            "there is room for another");
    }

    /// <summary>The answer on a new connection; empty when it was closed, which may be seen while it is made.</summary>
    private static async Task<string> AskAnewAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port);
        }
        catch (SocketException)
        {
            return "";
        }

        return await AskAsync(client);
    }

    /// <summary>The answer on a connection that stays; empty when it was closed instead.</summary>
    private static async Task<string> AskAsync(TcpClient client, string path = "healthz")
    {
        NetworkStream stream = client.GetStream();
        byte[] buffer = new byte[256 * 1024];
        int length = 0;
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n"));
            while (!IsWhole(Encoding.ASCII.GetString(buffer, 0, length)))
            {
                int read = await stream.ReadAsync(buffer.AsMemory(length)).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
                if (read == 0)
                {
                    break;
                }

                length += read;
            }
        }
        catch (IOException)
        {
            // Reset.
        }

        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    private static bool IsWhole(string answer)
    {
        int body = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        const string name = "Content-Length: ";
        int length = answer.IndexOf(name, StringComparison.Ordinal);
        return body >= 0 && length >= 0
            && answer.Length - body - 4 >= int.Parse(answer.AsSpan(length + name.Length, answer.IndexOf('\r', length) - length - name.Length), CultureInfo.InvariantCulture);
    }

    private Task<ManagementServer> StartAsync(Action<WebApplication>? endpoints = null) =>
        ManagementServer.StartAsync(AnyPort, NullLoggerFactory.Instance, () => _report, endpoints: endpoints);

    private async Task<(int Status, string Body)> GetAsync(ManagementServer server, string path)
    {
        using HttpResponseMessage answer = await _client.GetAsync(new Uri($"http://127.0.0.1:{server.Port}/{path}"));
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
