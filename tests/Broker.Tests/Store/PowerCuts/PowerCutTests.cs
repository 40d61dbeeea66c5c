using System.Globalization;
using Trunkline.Broker.Tests.Support;
using Xunit.Abstractions;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>
/// FAULTS 3 with <c>always</c>: a broker process is recorded under load, and what a power cut at random moments may leave of its files
/// is recovered: nothing that was acknowledged is lost, nothing is there twice, and recovery refuses nothing.
/// </summary>
public sealed class PowerCutTests(PowerCutTests.Recorded recorded, ITestOutputHelper output) : IClassFixture<PowerCutTests.Recorded>
{
    private readonly int _seed = Number("TRUNKLINE_SEED", Random.Shared.Next());
    private readonly int _images = Number("TRUNKLINE_IMAGES", 200);

    [StraceFact]
    public void Whatever_a_power_cut_leaves_is_recovered_with_all_that_was_acknowledged()
    {
        List<string> violations = Violations(Syncs.All, _images, 10);
        Assert.True(violations.Count == 0, string.Join('\n', violations));
    }

    [StraceFact]
    public void The_recording_has_what_a_power_cut_could_come_between()
    {
        DiskRecording recording = recorded.Load.Read();
        output.WriteLine($"Deleted: {string.Join(' ', recording.Deleted)}. Put in another's place: {string.Join(' ', recording.Replaced)}.");
        Assert.True(recording.Deleted.GetValueOrDefault(".log") > 5, "segments are deleted");
        Assert.True(recording.Replaced.GetValueOrDefault(".log") > 0, "segments are thinned");
        Assert.True(recording.Replaced.GetValueOrDefault("retained") > 0, "the retained messages are written");
        Assert.True(new Acknowledgements(recording.Sends).HighestTerm(recording.End) > PowerCutLoad.FarTerm, "a term is raised");
    }

    [StraceFact]
    public async Task A_broker_process_serves_what_a_power_cut_left()
    {
        DiskRecording recording = recorded.Load.Read();
        using TempFolder disk = TempFolder.InMemory();
        var random = new Random(_seed);
        output.WriteLine($"TRUNKLINE_SEED={_seed}");
        CrashImage.WriteCut(recording, random.NextInt64(recording.Runs[1], recording.End), random, disk.Path);
        await using RecordedBroker broker = await RecordedBroker.StartAsync(Path.Combine(disk.Path, "data"), null, "Broker:Commit=always");
        var publisher = new CutPublisher(6, _seed) { Tenant = "e", IsLink = true };
        int acknowledged = 0;
        await Eventually.InTimeAsync(publisher.RunAsync(broker.Port, 0, 10, () => acknowledged++), "it acknowledges");
        Assert.Equal(10, acknowledged);
    }

    /// <summary>Recovery itself changes files: it cuts what is torn, sets aside, and begins a run.</summary>
    [StraceFact]
    public async Task A_second_power_cut_amid_the_recovery_from_the_first_takes_nothing_either()
    {
        const int first = 30, second = 25, enough = 3;
        DiskRecording recording = recorded.Load.Read();
        var judge = new PowerCutJudge(recorded.Load, recording);
        var random = new Random(_seed);
        output.WriteLine($"TRUNKLINE_SEED={_seed}");
        int cuts = 0;
        for (int n = 0; n < first && cuts < enough; n++)
        {
            using var folder = new TempFolder();
            long moment = Around(recording.ContentChanges, random);
            string before = Directory.CreateDirectory(Path.Combine(folder.Path, "before")).FullName;
            CrashImage.WriteCut(recording, moment, random, before);
            DiskRecording recovery = await RecoveryAsync(folder.Path, before);
            cuts += recovery.LengthChanges > 0 ? 1 : 0;
            for (int i = 0; i < second; i++)
            {
                using TempFolder left = TempFolder.InMemory();
                long again = random.Next(2) == 0 ? random.NextInt64(recovery.End + 1) : Around(recovery.ContentChanges, random);
                CrashImage.WriteCut(recovery, again, random, left.Path);
                Assert.Null(judge.Judge(moment, left) is { } violation ? $"cut at line {moment}, then at line {again} of the recovery: {violation}" : null);
            }
        }

        Assert.True(cuts == enough, $"{cuts} recoveries cut something off");
    }

    private static long Around(List<long> moments, Random random) => moments[random.Next(moments.Count)] + random.Next(-1, 6);

    /// <summary>Records a broker that starts on what a power cut left, and is killed once it serves.</summary>
    private static async Task<DiskRecording> RecoveryAsync(string folder, string before)
    {
        string disk = Path.Combine(folder, "disk");
        string left = Path.Combine(folder, "left");
        string trace = Path.Combine(folder, "trace");
        PowerCutLoad.CopyAll(before, disk);
        await using (RecordedBroker broker = await RecordedBroker.StartAsync(Path.Combine(disk, "data"), trace, "Broker:Commit=always"))
        {
            await broker.EndAsync("KILL");
        }

        PowerCutLoad.CopyAll(disk, left);
        return DiskRecording.Read(disk, [(trace, left)], Syncs.All, before);
    }

    [StraceTheory]
    [InlineData((int)Syncs.Files)]
    [InlineData((int)Syncs.Folders)]
    public void The_judge_finds_what_a_broker_loses_that_leaves_syncs_out(int syncs)
    {
        string violation = Assert.Single(Violations((Syncs)syncs, 200, 1));
        output.WriteLine(violation);
    }

    private List<string> Violations(Syncs syncs, int images, int enough)
    {
        DiskRecording recording = recorded.Load.Read(syncs);
        var judge = new PowerCutJudge(recorded.Load, recording);
        output.WriteLine(
            $"TRUNKLINE_SEED={_seed}: {images} images of {recording.End} lines, {recording.NameChanges.Count} changes of names, {recording.Sends.Count} sends.");
        List<string> violations = [];
        var random = new Random(_seed);
        for (int i = 0; i < images && violations.Count < enough; i++)
        {
            long moment = judge.MomentOf(random);
            int seed = random.Next();
            if (judge.Judge(moment, seed) is { } violation)
            {
                violations.Add($"image {i}, line {moment}: {violation}");
            }
        }

        return violations;
    }

    internal static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : otherwise;

    /// <summary>One recording for all tests.</summary>
    public class Recorded : IAsyncLifetime
    {
        internal virtual string Commit => "always";

        internal PowerCutLoad Load { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            if (StraceFactAttribute.Missing() is null)
            {
                Load = await PowerCutLoad.RecordAsync(Commit);
            }
        }

        public Task DisposeAsync()
        {
            Load?.Dispose();
            return Task.CompletedTask;
        }
    }
}
