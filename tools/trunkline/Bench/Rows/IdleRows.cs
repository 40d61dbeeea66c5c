using Trunkline.Tool.Bench.Figures;
using Trunkline.Tool.Bench.Load;

namespace Trunkline.Tool.Bench.Rows;

/// <summary>Rows about idle devices.</summary>
internal static class IdleRows
{
    private const double OwnShareOfTls = 1500;
    private const double LeastForTls = 20_000;

    public static IEnumerable<BenchRow> All()
    {
        yield return new IdleRow(
            "idle-tcp",
            "idle TCP device with a session and a filter of its own; growth of the proxy's RSS per device",
            "mqtt",
            [],
            new IdleRow.Peer("mosquitto", MosquittoAsync),
            [new BenchGoal("bytes", "at most 1,500 B", "B", values => values["ours.bytes"], 1500)]);
        yield return new IdleRow(
            "idle-ws",
            "idle WebSocket device, the same",
            "ws",
            ["--ws"],
            null,
            [new BenchGoal("bytes", "at most 6,000 B", "B", values => values["ours.bytes"], 6000)]);
        yield return new IdleRow(
            "idle-tls",
            "idle TLS device, the same; floor: the TLS library alone, as lean as it can be set",
            "mqtts",
            ["-S"],
            new IdleRow.Peer("floor", TlsFloor.StartAsync),
            [new BenchGoal("bytes", "at most 20,000 B, or the TLS library's floor + 1,500 B", "B", values => values["ours.bytes"], values => Math.Max(LeastForTls, values["floor.bytes"] + OwnShareOfTls))])
        {
            DevicesFactor = 0.25,
            ConnectsPerSecond = 500,
        };
    }

    private static async Task<LoadTarget> MosquittoAsync(RowRun run)
    {
        await run.Stage.RestartPeerAsync(run.Stage.Peers.Mosquitto(), run.Cancellation);
        return LoadTarget.Port(run.Settings.Ports.Mosquitto, run.Stage.MeasuredPeer("mosquitto"));
    }
}
