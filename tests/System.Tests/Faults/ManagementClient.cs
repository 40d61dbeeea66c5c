using System.Globalization;
using System.Net;

namespace Trunkline.SystemTests.Faults;

/// <summary>A process's management port: figures, readiness, sessions.</summary>
public static class ManagementClient
{
    private static readonly HttpClient Http = new();

    /// <summary>The sum of a metric over all series whose labels hold the text; 0 when there is none.</summary>
    public static async Task<double> MetricAsync(int port, string name, string labels = "")
    {
        string text = await Http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"));
        return text.Split('\n')
            .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) || line.StartsWith(name + " ", StringComparison.Ordinal))
            .Where(line => line.Contains(labels, StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    public static async Task<bool> IsReadyAsync(int port)
    {
        using HttpResponseMessage answer = await Http.GetAsync(new Uri($"http://127.0.0.1:{port}/readyz"));
        return answer.StatusCode == HttpStatusCode.OK;
    }

    /// <summary>What a proxy says of a session; null when nobody holds it.</summary>
    public static async Task<string?> SessionAsync(int port, string clientId)
    {
        using HttpResponseMessage answer = await Http.GetAsync(new Uri($"http://127.0.0.1:{port}/sessions/{clientId}"));
        return answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync() : null;
    }

    /// <summary>Memory of a process that is in use, in bytes.</summary>
    public static long ResidentBytes(int pid)
    {
        string line = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
