using System.CommandLine;
using System.Globalization;

namespace Trunkline.Tool.Tier;

/// <summary>./trunkline tier up|down|status|start|stop.</summary>
internal static class TierCommand
{
    private static readonly Option<int> BasePortOption = new("--base-port")
    {
        Description = "First of the 100 ports that the tier may use; tiers whose ports differ live side by side.",
        DefaultValueFactory = _ => 21000,
        Recursive = true,
    };

    private static readonly Option<string?> FolderOption = new("--dir")
    {
        Description = "Folder of the tier's files: settings, logs, data, tier.json. Default: .tier/BASE-PORT in the repository.",
        Recursive = true,
    };

    private static readonly Option<int> TimeoutOption = new("--timeout")
    {
        Description = "Seconds that each part has to become ready.",
        DefaultValueFactory = _ => 60,
    };

    public static Command Create()
    {
        Command tier = new("tier", "A whole tier of real processes on 127.0.0.1.");
        tier.Options.Add(BasePortOption);
        tier.Options.Add(FolderOption);
        tier.Subcommands.Add(Up());
        tier.Subcommands.Add(Down());
        tier.Subcommands.Add(Status());
        tier.Subcommands.Add(Start());
        tier.Subcommands.Add(Stop());
        return tier;
    }

    private static Command Up()
    {
        Option<int> proxies = new("--proxies") { Description = "Proxies, 0 to 10.", DefaultValueFactory = _ => 2 };
        Option<int> groups = new("--groups") { Description = "Broker groups, 0 to 10.", DefaultValueFactory = _ => 2 };
        Option<string> broker = new("--broker") { Description = "Whose broker serves the groups.", DefaultValueFactory = _ => "trunkline" };
        Option<string> redis = new("--redis") { Description = "How the directory's Redis stands.", DefaultValueFactory = _ => "single" };
        Option<string> durability = new("--redis-durability")
        {
            Description = "What that Redis keeps, and the proxies ask of it: memory, aof-everysec, aof-always, or replicas (one; with --redis sentinel or cluster).",
            DefaultValueFactory = _ => "aof-everysec",
        };
        Option<string?> foreignLog = new("--foreign-log") { Description = "Where groups with Mosquitto have their logs. Default: redis, if there is one." };
        Option<bool> nginx = new("--nginx") { Description = "nginx in front of the proxies." };
        Option<string> store = new("--store") { Description = "Where our brokers keep their logs: in files of the tier's folder, or in memory.", DefaultValueFactory = _ => "file" };
        Option<string> commit = new("--commit") { Description = "What an acknowledged message survives with --store file: os, the end of the broker; always, a power cut.", DefaultValueFactory = _ => "os" };
        Option<string[]> proxySettings = new("--proxy-set") { Description = "A setting for every proxy: Section:Key=value. Repeatable." };
        Option<string[]> brokerSettings = new("--broker-set") { Description = "A setting for every broker of ours. Repeatable." };
        broker.AcceptOnlyFromAmong("trunkline", "mosquitto");
        store.AcceptOnlyFromAmong("file", "memory");
        commit.AcceptOnlyFromAmong("os", "always");
        redis.AcceptOnlyFromAmong("none", "single", "sentinel", "cluster");
        durability.AcceptOnlyFromAmong("memory", "aof-everysec", "aof-always", "replicas");
        foreignLog.AcceptOnlyFromAmong("none", "redis");

        Command up = new("up", "Start a tier, wait until every part is ready, print it as JSON. A failed start stops what it started.")
        {
            proxies, groups, broker, redis, durability, foreignLog, nginx, store, commit, proxySettings, brokerSettings, TimeoutOption,
        };
        up.SetAction(async (parsed, cancellation) =>
        {
            TierSpecification specification = new(
                parsed.GetValue(BasePortOption),
                parsed.GetValue(proxies),
                parsed.GetValue(groups),
                Enum.Parse<BrokerKind>(parsed.GetValue(broker)!, ignoreCase: true),
                Enum.Parse<RedisKind>(parsed.GetValue(redis)!, ignoreCase: true),
                parsed.GetValue(nginx))
            {
                RedisDurability = parsed.GetValue(durability)!,
                Store = Enum.Parse<BrokerStore>(parsed.GetValue(store)!, ignoreCase: true),
                Commit = Enum.Parse<BrokerCommit>(parsed.GetValue(commit)!, ignoreCase: true),
                ForeignLog = parsed.GetValue(foreignLog) is { } log ? Enum.Parse<ForeignLogKind>(log, ignoreCase: true) : null,
                ProxySettings = parsed.GetValue(proxySettings) ?? [],
                BrokerSettings = parsed.GetValue(brokerSettings) ?? [],
            };
            return Print(await Runner().UpAsync(specification, FolderOf(parsed), Patience(parsed), cancellation));
        });
        return up;
    }

    private static Command Down()
    {
        Command down = new("down", "Stop exactly the processes of this tier; its files stay.");
        down.SetAction(async (parsed, cancellation) =>
        {
            await Runner().DownAsync(FolderOf(parsed), cancellation);
            return ExitCodes.Success;
        });
        return down;
    }

    private static Command Status()
    {
        Command status = new("status", "Print the tier as JSON; the pid of a part that does not run is null.");
        status.SetAction(parsed => Print(TierRunner.Status(FolderOf(parsed))));
        return status;
    }

    private static Command Start()
    {
        Argument<string> name = new("NAME") { Description = "proxy-1, broker-0, redis-1, nginx ..." };
        Command start = new("start", "Start one part that does not run, wait until it is ready, print the tier.") { name, TimeoutOption };
        start.SetAction(async (parsed, cancellation) =>
            Print(await Runner().StartAsync(FolderOf(parsed), parsed.GetValue(name)!, Patience(parsed), cancellation)));
        return start;
    }

    private static Command Stop()
    {
        Argument<string> name = new("NAME") { Description = "proxy-1, broker-0, redis-1, nginx ..." };
        Option<bool> kill = new("--kill") { Description = "SIGKILL at once, instead of SIGTERM first." };
        Command stop = new("stop", "Stop one part, print the tier.") { name, kill };
        stop.SetAction(async (parsed, cancellation) =>
            Print(await Runner().StopAsync(FolderOf(parsed), parsed.GetValue(name)!, parsed.GetValue(kill), cancellation)));
        return stop;
    }

    private static TierRunner Runner() => new(TimeProvider.System);

    private static TimeSpan Patience(ParseResult parsed) => TimeSpan.FromSeconds(parsed.GetValue(TimeoutOption));

    private static string FolderOf(ParseResult parsed) => Path.GetFullPath(
        parsed.GetValue(FolderOption)
        ?? Path.Combine(Repository.Root, ".tier", parsed.GetValue(BasePortOption).ToString(CultureInfo.InvariantCulture)));

    private static int Print(TierState state)
    {
        Console.WriteLine(TierReport.Of(state).ToJson());
        return ExitCodes.Success;
    }
}
