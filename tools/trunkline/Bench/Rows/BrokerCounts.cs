using System.Diagnostics;
using System.Globalization;
using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Parts;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>Asks a broker how many messages it got: where nobody subscribes, nobody else knows.</summary>
internal static class BrokerCounts
{
    /// <summary>QoS 0 messages that our broker routed.</summary>
    public static async Task<double> OursAsync(RowRun run) =>
        (await Metrics.ReadAsync(run.Stage.Port(0, "broker-0", "management"), run.Cancellation))
            .Sum("trunkline_broker_events_total", "event=\"routed_qos0\"");

    /// <summary>Messages that Mosquitto got, by its $SYS, which it renews every second.</summary>
    public static async Task<double> MosquittoAsync(RowRun run)
    {
        ProcessStartInfo start = new(Programs.Find("mosquitto_sub", "mosquitto-clients"))
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            ArgumentList =
            {
                "-h", "127.0.0.1", "-p", run.Settings.Ports.Mosquitto.ToString(CultureInfo.InvariantCulture),
                "-t", "$SYS/broker/publish/messages/received", "-C", "1", "-W", "5",
            },
        };
        using Process process = Process.Start(start) ?? throw new ToolException("mosquitto_sub could not be started.");
        string text = await process.StandardOutput.ReadToEndAsync(run.Cancellation);
        await process.WaitForExitAsync(run.Cancellation);

        // Until the first message there is no such topic.
        return double.TryParse(text.Trim(), CultureInfo.InvariantCulture, out double value) ? value : 0;
    }
}
