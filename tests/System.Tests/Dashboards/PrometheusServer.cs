using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Dashboards;

/// <summary>Debian's Prometheus, scraping a tier every second.</summary>
public sealed class PrometheusServer : IAsyncDisposable
{
    private readonly HttpClient _client = new();
    private readonly LiveProcess _process;
    private readonly string _folder;
    private readonly Uri _address;

    private PrometheusServer(LiveProcess process, string folder, Uri address)
    {
        _process = process;
        _folder = folder;
        _address = address;
    }

    /// <summary>Starts it on a port and returns when it is ready.</summary>
    public static async Task<PrometheusServer> StartAsync(TierDescription tier, int port)
    {
        ArgumentNullException.ThrowIfNull(tier);
        string folder = Directory.CreateTempSubdirectory("trunkline-prometheus-").FullName;
        string file = Path.Combine(folder, "prometheus.yml");
        await File.WriteAllTextAsync(file, $"""
            global:
              scrape_interval: 1s
            scrape_configs:
              - job_name: trunkline-proxy
                static_configs:
                  - targets: [{Targets(tier.Proxies.Select(proxy => (int?)proxy.Management))}]
              - job_name: trunkline-broker
                static_configs:
                  - targets: [{Targets(tier.Brokers.Select(broker => broker.Management))}]
            """);
        Uri address = new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
        LiveProcess process = LiveProcess.Start(
            "prometheus",
            $"--config.file={file}",
            $"--storage.tsdb.path={folder}/data",
            string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"));
        PrometheusServer server = new(process, folder, address);
        await process.AwaitLineAsync("Server is ready to receive web requests", TimeSpan.FromSeconds(30));
        return server;
    }

    /// <summary>The number of series that a query is answered with.</summary>
    public async Task<int> QueryAsync(string expression)
    {
        Uri query = new(_address, "api/v1/query?query=" + Uri.EscapeDataString(expression));
        JsonElement answer = await _client.GetFromJsonAsync<JsonElement>(query);
        Assert.Equal("success", answer.GetProperty("status").GetString());
        return answer.GetProperty("data").GetProperty("result").GetArrayLength();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Targets(IEnumerable<int?> ports) =>
        string.Join(", ", ports.OfType<int>().Select(port => string.Create(CultureInfo.InvariantCulture, $"\"127.0.0.1:{port}\"")));
}
