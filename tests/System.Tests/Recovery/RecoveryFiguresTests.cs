using Trunkline.Tool.Bench.Load;
using Trunkline.Tool.Recovery;

namespace Trunkline.SystemTests.Recovery;

/// <summary>What ./trunkline recovery makes of loadtest's reports.</summary>
public sealed class RecoveryFiguresTests
{
    private const long Ms = 1_000_000;

    [Fact]
    public void Devices_of_a_killed_broker_are_behind_until_they_have_what_was_due_before_it_was_there_again()
    {
        LoadReport report = Report(clients: 20, late:
        [
            new(1, 1_100 * Ms, 2_000 * Ms), new(1, 1_900 * Ms, 2_400 * Ms), new(2, 1_200 * Ms, 1_900 * Ms),

            // Late before the kill, and long after the broker was there again: something else.
            new(3, 100 * Ms, 900 * Ms), new(4, 9_000 * Ms, 9_900 * Ms),
        ]);
        var figures = RecoveryFigures.Of("broker", 1_000 * Ms, 2_000 * Ms, [report]);

        Assert.Equal((10, 0, 0.0, 1_400.0, 1_400.0), (figures.Devices, figures.CutOff, figures.UpToDateP50, figures.UpToDateP99, figures.UpToDateLast));
        Assert.Equal((1_000.0, "ok"), (figures.RestartMs, figures.Verdict));
    }

    [Fact]
    public void Devices_of_a_killed_proxy_count_from_their_own_loss_and_all_must_come_back()
    {
        LoadReport report = Report(clients: 20, late: [], disconnects: 5, returned: new LoadLatency { Count = 5, P50Us = 900, P99Us = 1_000, MaxUs = 2_000 });
        Assert.Equal((0.9, 1.0, 2.0, "ok"), Read(RecoveryFigures.Of("proxy", 0, Ms, [report])));

        LoadReport away = Report(clients: 20, late: [], disconnects: 6, returned: new LoadLatency { Count = 5 });
        Assert.Contains("5 of 6", Assert.Single(RecoveryFigures.Of("proxy", 0, Ms, [away]).Faults), StringComparison.Ordinal);

        static (double?, double?, double?, string) Read(RecoveryFigures figures) =>
            (figures.UpToDateP50, figures.UpToDateP99, figures.UpToDateLast, figures.Verdict);
    }

    [Fact]
    public void What_is_lost_or_never_acknowledged_or_cut_off_by_a_broker_is_a_fault()
    {
        LoadReport report = Report(clients: 2, late: [], disconnects: 3, lost: 2, acknowledged: 90);
        Assert.Equal(3, RecoveryFigures.Of("broker", 0, Ms, [report]).Faults.Count);
        Assert.Contains("failed, 2 messages were lost", RecoveryFigures.Of("broker", 0, Ms, [report]).ToLine(), StringComparison.Ordinal);
    }

    private static LoadReport Report(int clients, LoadLate[] late, long disconnects = 0, long lost = 0, long acknowledged = 100, LoadLatency? returned = null)
    {
        Dictionary<string, LoadLatency> latencies = new() { ["delivery"] = new() { MaxUs = 5_000 }, ["ack"] = new() { MaxUs = 4_000 } };
        if (returned is not null)
        {
            latencies["return"] = returned;
        }

        return new LoadReport
        {
            Clients = clients,
            Late = late,
            Counts = new LoadCounts { Published = 100, Acknowledged = acknowledged, Lost = lost, Disconnects = disconnects },
            Latencies = latencies,
            Processes = [],
        };
    }
}
