using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Trunkline.Loadtest;

/// <summary>Reports as JSON and CSV.</summary>
internal static class ReportFiles
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>A report as JSON.</summary>
    public static string ToJson(RunReport report) => JsonSerializer.Serialize(report, Json);

    /// <summary>A report from JSON; throws a sentence when it is none.</summary>
    public static RunReport FromJson(string text, string path)
    {
        try
        {
            return JsonSerializer.Deserialize<RunReport>(text, Json) ?? throw new JsonException("it is empty");
        }
        catch (JsonException exception)
        {
            throw new OptionException($"{path} is no report of --json: {exception.Message}");
        }
    }

    /// <summary>The samples, one line each, with a line of names first.</summary>
    public static string ToCsv(RunReport report)
    {
        var text = new StringBuilder("seconds,phase,connected,connects_per_s,published_per_s,delivered_per_s,p50_us,p99_us,max_us");
        foreach (ProcessReport process in report.Processes)
        {
            text.Append(CultureInfo.InvariantCulture, $",{Field(process.Name + "_cpu_share")},{Field(process.Name + "_rss_bytes")}");
        }

        text.Append('\n');
        foreach (RunSecond second in report.Seconds)
        {
            text.Append(CultureInfo.InvariantCulture, $"{second.At:0.000},{Field(second.Phase)},{second.Connected},{second.ConnectRate:0.0},{second.PublishRate:0.0},")
                .Append(CultureInfo.InvariantCulture, $"{second.DeliverRate:0.0},{second.P50Us:0.0},{second.P99Us:0.0},{second.MaxUs:0.0}");
            foreach (ProcessSecond process in second.Processes)
            {
                text.Append(CultureInfo.InvariantCulture, $",{process.CpuShare:0.000},{process.RssBytes}");
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    // RFC 4180: quotes around what holds a comma, a quote or a line end.
    private static string Field(string text) =>
        text.AsSpan().ContainsAny("\",\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
