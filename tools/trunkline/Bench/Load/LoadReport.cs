using System.Text.Json;

namespace Trunkline.Tool.Bench.Load;

/// <summary>What this program reads of the JSON that loadtest writes (docs/LOADTEST.md).</summary>
internal sealed record LoadReport
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Clients asked for.</summary>
    public int Clients { get; init; }

    /// <summary>Clients that were connected when all had been tried.</summary>
    public long Connected { get; init; }

    /// <summary>Pattern of the run.</summary>
    public string Pattern { get; init; } = "";

    /// <summary>Length of the measured time.</summary>
    public double MeasuredSeconds { get; init; }

    /// <summary>Counters of the whole run.</summary>
    public required LoadCounts Counts { get; init; }

    /// <summary>Messages published a second.</summary>
    public double PublishRate { get; init; }

    /// <summary>Messages delivered a second.</summary>
    public double DeliverRate { get; init; }

    /// <summary>Cycles a second.</summary>
    public double CycleRate { get; init; }

    /// <summary>Latencies by name.</summary>
    public required IReadOnlyDictionary<string, LoadLatency> Latencies { get; init; }

    /// <summary>The measured processes; the last one is loadtest.</summary>
    public required IReadOnlyList<LoadProcess> Processes { get; init; }

    /// <summary>Storms.</summary>
    public IReadOnlyList<LoadStorm> Storms { get; init; } = [];

    /// <summary>Why things failed.</summary>
    public IReadOnlyDictionary<string, long> Reasons { get; init; } = new Dictionary<string, long>();

    /// <summary>What came late, where that was asked for.</summary>
    public IReadOnlyList<LoadLate> Late { get; init; } = [];

    /// <summary>Reads it; throws a sentence when it is none.</summary>
    public static LoadReport Parse(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<LoadReport>(text, Json) ?? throw new JsonException("it is empty");
        }
        catch (JsonException error)
        {
            throw new ToolException($"loadtest wrote no report: {error.Message}\n{text}");
        }
    }

    /// <summary>The process of that name.</summary>
    public LoadProcess Process(string name) =>
        Processes.FirstOrDefault(process => process.Name == name)
        ?? throw new ToolException($"loadtest did not measure {name}.");

    /// <summary>Null when everything that had to be delivered was, once; otherwise what is wrong.</summary>
    public string? Fault()
    {
        string reasons = Reasons.Count == 0 ? "" : $" ({string.Join(", ", Reasons.Select(reason => $"{reason.Value} x {reason.Key}"))})";
        if (Counts.ConnectFailures > 0 || Counts.Disconnects > 0)
        {
            return $"{Counts.ConnectFailures} connections failed and {Counts.Disconnects} were lost{reasons}";
        }

        if (Pattern == "churn")
        {
            return Counts.Cycles > 0 ? null : "no cycle ended";
        }

        if (Connected != Clients)
        {
            return $"{Connected} of {Clients} clients were connected{reasons}";
        }

        if (Counts.Delivered != Counts.Expected || Counts.Lost > 0 || Counts.Duplicates > 0)
        {
            return $"{Counts.Expected} deliveries had to come, {Counts.Delivered} came, {Counts.Lost} were lost, {Counts.Duplicates} came twice";
        }

        return Counts.Refused > 0 ? $"{Counts.Refused} publishes were refused" : null;
    }
}

/// <summary>Counters of a run.</summary>
internal sealed record LoadCounts
{
    /// <summary>Messages published.</summary>
    public long Published { get; init; }

    /// <summary>Messages acknowledged.</summary>
    public long Acknowledged { get; init; }

    /// <summary>Refused by the server.</summary>
    public long Refused { get; init; }

    /// <summary>Due and never sent.</summary>
    public long Backlog { get; init; }

    /// <summary>Deliveries that had to come.</summary>
    public long Expected { get; init; }

    /// <summary>First copies.</summary>
    public long Delivered { get; init; }

    /// <summary>What never came.</summary>
    public long Lost { get; init; }

    /// <summary>Further copies.</summary>
    public long Duplicates { get; init; }

    /// <summary>Failed connections.</summary>
    public long ConnectFailures { get; init; }

    /// <summary>Lost connections.</summary>
    public long Disconnects { get; init; }

    /// <summary>Cycles of churn.</summary>
    public long Cycles { get; init; }
}

/// <summary>A message that came late; times of the machine's monotonic clock.</summary>
internal readonly record struct LoadLate(int Client, long DueNs, long ArrivedNs);

/// <summary>One storm: who was dropped, who came back within the time, and how long 99% and all took.</summary>
internal sealed record LoadStorm(long Dropped, long Back, double? Share99Us, double? AllUs);

/// <summary>A latency of a run.</summary>
internal sealed record LoadLatency
{
    /// <summary>How many.</summary>
    public long Count { get; init; }

    /// <summary>The median.</summary>
    public double P50Us { get; init; }

    /// <summary>The 99th percentile.</summary>
    public double P99Us { get; init; }

    /// <summary>The largest.</summary>
    public double MaxUs { get; init; }
}

/// <summary>What a process cost.</summary>
internal sealed record LoadProcess
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>CPU time of the measured time, in seconds.</summary>
    public double CpuSeconds { get; init; }

    /// <summary>The same as a share of one core.</summary>
    public double CpuShare { get; init; }

    /// <summary>CPU microseconds per message, cycle or connection.</summary>
    public double? CpuUsPerUnit { get; init; }

    /// <summary>Resident memory before the first connection.</summary>
    public long RssBefore { get; init; }

    /// <summary>Resident memory with all connected.</summary>
    public long RssConnected { get; init; }

    /// <summary>Resident memory at the end.</summary>
    public long RssEnd { get; init; }

    /// <summary>Growth from before to connected, per connection.</summary>
    public double? RssPerConnection { get; init; }

    /// <summary>It ended meanwhile.</summary>
    public bool IsGone { get; init; }
}
