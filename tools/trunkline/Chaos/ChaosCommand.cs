using System.CommandLine;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Chaos;

/// <summary>./trunkline chaos: a tier, load, faults by a seeded schedule, and a verdict as JSON.</summary>
internal static class ChaosCommand
{
    public static Command Create()
    {
        Option<int?> seed = new("--seed") { Description = "The same seed gives the same schedule. Default: one of chance, which is printed." };
        Option<double> minutes = new("--minutes") { Description = "How long faults are brought about.", DefaultValueFactory = _ => 10 };
        Option<int> basePort = new("--base-port") { Description = "First of the 100 ports of the tier.", DefaultValueFactory = _ => 31000 };
        Option<int> proxies = new("--proxies") { Description = "Proxies.", DefaultValueFactory = _ => 3 };
        Option<int> groups = new("--groups") { Description = "Broker groups.", DefaultValueFactory = _ => 2 };
        Option<string> broker = new("--broker") { Description = "Whose broker serves the groups.", DefaultValueFactory = _ => "trunkline" };
        Option<string> redis = new("--redis") { Description = "How the directory's Redis stands.", DefaultValueFactory = _ => "single" };
        Option<string> durability = new("--redis-durability")
        {
            Description = "What that Redis keeps: memory, aof-everysec, aof-always, or replicas (one; with --redis sentinel or cluster), without which a promotion may lose what sessions wrote last.",
            DefaultValueFactory = _ => "aof-everysec",
        };
        Option<string?> faults = new("--faults") { Description = $"Only these, with commas between: {string.Join(", ", FaultKinds.All.Select(kind => kind.Name))}." };
        Option<double> pairs = new("--pairs") { Description = "Share of the faults that come two at a time, 0 to 1.", DefaultValueFactory = _ => 0.3 };
        Option<double> away = new("--away") { Description = "Longest time that a part stays away or held, seconds.", DefaultValueFactory = _ => 8 };
        Option<double> pause = new("--pause") { Description = "Seconds in peace between faults: lease, adoption and a little.", DefaultValueFactory = _ => 11 };
        Option<string[]> proxySettings = new("--proxy-set") { Description = "A setting for every proxy: Section:Key=value. Repeatable." };
        Option<bool> noShares = new("--no-shares") { Description = "Leave shared subscriptions out." };
        Option<string?> other = new("--other") { Description = "Folder of another build of Trunkline, an older commit with proxy and broker built there in Release." };
        Option<string?> otherParts = new("--other-parts") { Description = "The parts that start as of that build, with commas between: proxy-1,broker-0." };
        Option<string> back = new("--back")
        {
            Description = "As of which build a part that was killed or stopped comes back: same, ours (an upgrade, part by part), or swapped.",
            DefaultValueFactory = _ => "same",
        };
        back.AcceptOnlyFromAmong("same", "ours", "swapped");
        broker.AcceptOnlyFromAmong("trunkline", "mosquitto");
        redis.AcceptOnlyFromAmong("single", "sentinel", "cluster");
        durability.AcceptOnlyFromAmong("memory", "aof-everysec", "aof-always", "replicas");
        Command chaos = new("chaos", "Break a tier of its own under load by a seeded schedule; print the verdict as JSON. Exit code 0 when every promise held.")
        {
            seed, minutes, basePort, proxies, groups, broker, redis, durability, faults, pairs, away, pause, noShares, proxySettings,
            other, otherParts, back,
        };
        chaos.SetAction(async (parsed, cancellation) =>
        {
            OtherBuild? otherBuild = parsed.GetValue(other) is { } root ? new OtherBuild(Path.GetFullPath(root)) : null;
            TierSpecification tier = new(
                parsed.GetValue(basePort),
                parsed.GetValue(proxies),
                parsed.GetValue(groups),
                Enum.Parse<BrokerKind>(parsed.GetValue(broker)!, ignoreCase: true),
                Enum.Parse<RedisKind>(parsed.GetValue(redis)!, ignoreCase: true),
                Nginx: false)
            {
                RedisDurability = parsed.GetValue(durability)!,
                ProxySettings = parsed.GetValue(proxySettings) ?? [],
                Other = otherBuild,
                OtherParts = parsed.GetValue(otherParts)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [],
            };
            ChaosOptions options = new()
            {
                Seed = parsed.GetValue(seed) ?? System.Security.Cryptography.RandomNumberGenerator.GetInt32(int.MaxValue),
                Duration = TimeSpan.FromMinutes(parsed.GetValue(minutes)),
                Faults = FaultKinds.Parse(parsed.GetValue(faults), hasReplicas: tier.Redis != RedisKind.Single),
                PairShare = parsed.GetValue(pairs),
                LongestAway = TimeSpan.FromSeconds(parsed.GetValue(away)),
                Pause = TimeSpan.FromSeconds(parsed.GetValue(pause)),
                Other = otherBuild,
                ComesBack = Enum.Parse<ComesBack>(parsed.GetValue(back)!, ignoreCase: true),
                HasShares = tier.Broker == BrokerKind.Trunkline && !parsed.GetValue(noShares),
            };
            return await RunAsync(tier, options, cancellation);
        });
        return chaos;
    }

    private static async Task<int> RunAsync(TierSpecification specification, ChaosOptions options, CancellationToken cancellation)
    {
        TimeProvider time = TimeProvider.System;
        TierRunner runner = new(time);
        string folder = Path.Combine(Repository.Root, ".tier", $"chaos-{specification.BasePort}");
        Directory.CreateDirectory(folder);
        await Console.Error.WriteLineAsync($"chaos: seed {options.Seed}; the tier's files are in {folder}");
        await runner.UpAsync(specification, folder, TimeSpan.FromSeconds(60), cancellation);
        try
        {
            long start = time.GetTimestamp();
            void Say(string what) => Console.Error.WriteLine($"chaos: {time.GetElapsedTime(start).TotalSeconds,6:0.0} s  {what}");
            await using ChaosRun run = new(folder, options, Say, time);
            ChaosVerdict verdict = await run.RunAsync(cancellation);
            Console.WriteLine(verdict.ToJson());
            return verdict.Passed ? ExitCodes.Success : ExitCodes.Failure;
        }
        finally
        {
            await runner.DownAsync(folder, CancellationToken.None);
        }
    }
}
