using Xunit.Abstractions;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>
/// FAULTS 3 with <c>os</c>, which promises nothing of a power cut but this: what was acknowledged before the newest sync that
/// has ended began is there, nothing is there twice or in another order, and recovery refuses nothing.
/// </summary>
public sealed class PowerCutWithOsTests(PowerCutWithOsTests.RecordedWithOs recorded, ITestOutputHelper output)
    : IClassFixture<PowerCutWithOsTests.RecordedWithOs>
{
    private readonly int _seed = PowerCutTests.Number("TRUNKLINE_SEED", Random.Shared.Next());
    private readonly int _images = PowerCutTests.Number("TRUNKLINE_IMAGES", 100);

    [StraceFact]
    public void Whatever_a_power_cut_leaves_is_recovered_with_all_that_was_synced()
    {
        DiskRecording recording = recorded.Load.Read();
        var judge = new PowerCutJudge(recorded.Load, recording, isSynced: true);
        var random = new Random(_seed);
        int most = 0, kept = 0;
        for (int i = 0; i < _images; i++)
        {
            long moment = random.Next(3) == 0 ? judge.MomentOf(random) : recording.ContentChanges[random.Next(recording.ContentChanges.Count)] + random.Next(-1, 6);
            int seed = random.Next();
            int synced = judge.CountAcknowledged(judge.Promised(moment));
            kept = int.Max(kept, synced);
            most = int.Max(most, judge.CountAcknowledged(moment) - synced);
            string? violation = judge.Judge(moment, seed);
            Assert.True(violation is null, $"TRUNKLINE_SEED={_seed}, image {i}, line {moment}, promised up to {judge.Promised(moment)}: {violation}");
        }

        output.WriteLine($"TRUNKLINE_SEED={_seed}: {recording.LogSyncs.Count} syncs; up to {kept} acknowledged messages had to be there, up to {most} more need not be.");
        Assert.True(recording.LogSyncs.Count > 20, "the log is synced beside its writes");
        Assert.True(most > 0, "a moment at which something was acknowledged and not synced");
        Assert.True(kept > 500, "moments at which much was synced");
    }

    [StraceFact]
    public void The_judge_finds_what_a_broker_loses_that_does_not_sync()
    {
        DiskRecording synced = recorded.Load.Read();
        DiskRecording recording = recorded.Load.Read(Syncs.Folders);
        recording.LogSyncs.AddRange(synced.LogSyncs);
        var judge = new PowerCutJudge(recorded.Load, recording, isSynced: true);
        var random = new Random(_seed);
        Assert.Contains(Enumerable.Range(0, 100), _ => judge.Judge(random.NextInt64(recording.End), random.Next()) is not null);
    }

    /// <summary>One recording for all tests.</summary>
    public sealed class RecordedWithOs : PowerCutTests.Recorded
    {
        internal override string Commit => "os";
    }
}
