using Trunkline.SystemTests.Faults;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool.Chaos;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Chaos;

/// <summary>
/// Row 35: single faults pass, pairs fail. Chaos' own load, faults and judge for a short while, every fault one of a pair;
/// the full length is `./trunkline chaos`.
/// </summary>
public sealed class PairTests(ITestOutputHelper output)
{
    private const int Seed = 35;

    [ProgramsFact("redis-server")]
    public async Task Two_faults_at_once_lose_nothing()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 3, Groups = 2, ProxySettings = [.. ShortLeases.Settings] });
        ChaosOptions options = new()
        {
            Seed = Seed,
            Duration = TimeSpan.FromSeconds(25),
            Faults = FaultKinds.Parse(null, hasReplicas: false),
            PairShare = 1,
            LongestAway = TimeSpan.FromSeconds(3),
            Pause = TimeSpan.FromSeconds(4),
        };
        output.WriteLine($"seed {Seed}");
        await using ChaosRun run = new(tier.Folder, options, output.WriteLine, TimeProvider.System);
        ChaosVerdict verdict = await run.RunAsync(CancellationToken.None);
        output.WriteLine(verdict.ToJson());
        Assert.True(verdict.Passed, verdict.ToJson());

        // It is about pairs: some were brought about, under load.
        Assert.True(verdict.Faults.Count >= 4, string.Join(", ", verdict.Faults));
        Assert.True(verdict.Acknowledged > 1_000, $"only {verdict.Acknowledged} messages were acknowledged");
    }
}
