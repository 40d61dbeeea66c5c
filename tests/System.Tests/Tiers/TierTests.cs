using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Tiers;

/// <summary>The tier command itself, on parts that others wrote.</summary>
public sealed class TierTests
{
    private static readonly TierOptions ForeignParts = new() { Proxies = 0, Groups = 1, Broker = "mosquitto", Nginx = true };

    [ProgramsFact("redis-server", "mosquitto", "nginx", "mosquitto_sub")]
    public async Task Two_tiers_live_side_by_side_and_down_stops_exactly_one()
    {
        await using Tier first = await Tier.UpAsync(ForeignParts);
        await using Tier second = await Tier.UpAsync(ForeignParts);
        IReadOnlyList<int> ofFirst = first.Now.Pids();
        IReadOnlyList<int> ofSecond = second.Now.Pids();
        Assert.Equal(3, ofFirst.Count);
        Assert.Empty(ofFirst.Intersect(ofSecond));

        (await first.DownAsync())!.EnsureSuccess();

        CommandResult gone = await Tier.ToolAsync("tier", "status", "--dir", first.Folder);
        Assert.Contains("Beside it are up: ", gone.Errors, StringComparison.Ordinal);
        Assert.Contains(Path.GetFileName(second.Folder), gone.Errors, StringComparison.Ordinal);
        Assert.All(ofFirst, pid => Assert.False(Tier.Runs(pid)));
        Assert.All(ofSecond, pid => Assert.True(Tier.Runs(pid)));
        await using MosquittoSubscriber subscriber = await MosquittoSubscriber.SubscribeAsync(second.Now.Brokers[0].Mqtt, "-t", "a/#", "-q", "1");
        await MosquittoPublisher.PublishAsync(second.Now.Brokers[0].Mqtt, "-t", "a/b", "-m", "hello", "-q", "1");
        Assert.Equal(["a/b 1 0 hello"], await subscriber.AwaitMessagesAsync(1));
    }

    [ProgramsFact("redis-server", "mosquitto", "nginx")]
    public async Task Parts_stop_and_start_by_name_and_status_tells_so()
    {
        await using Tier tier = await Tier.UpAsync(ForeignParts);
        foreach ((string name, bool kill) in new[] { ("redis-1", false), ("broker-0", true), ("nginx", false), ("nginx", true) })
        {
            int before = tier.Pid(name);
            await tier.StopAsync(name, kill);
            Assert.False(Tier.Runs(before));
            TierDescription status = TierDescription.Parse((await Tier.ToolAsync("tier", "status", "--dir", tier.Folder)).EnsureSuccess().Output);
            Assert.Equal(2, status.Pids().Count);

            await tier.StartAsync(name);
            Assert.NotEqual(before, tier.Pid(name));
            Assert.True(Tier.Runs(tier.Pid(name)));
        }

        CommandResult again = await Tier.ToolAsync("tier", "start", "nginx", "--dir", tier.Folder);
        Assert.NotEqual(0, again.ExitCode);
        Assert.Contains("nginx runs already", again.Errors, StringComparison.Ordinal);

        CommandResult unknown = await Tier.ToolAsync("tier", "stop", "proxy-1", "--dir", tier.Folder);
        Assert.NotEqual(0, unknown.ExitCode);
        Assert.Contains("redis-1, broker-0, nginx", unknown.Errors, StringComparison.Ordinal);
    }

    [ProgramsFact("redis-server", "mosquitto", "redis-cli")]
    public async Task A_stopped_part_keeps_its_data_and_a_new_tier_begins_empty()
    {
        await using Tier tier = await Tier.UpAsync(ForeignParts with { Nginx = false });
        string port = tier.Now.Redis[0].Port.ToString(global::System.Globalization.CultureInfo.InvariantCulture);
        (await CommandRunner.RunAsync("redis-cli", "-p", port, "set", "kept", "yes")).EnsureSuccess();
        await tier.StopAsync("redis-1");
        await tier.StartAsync("redis-1");
        Assert.Equal("yes", (await CommandRunner.RunAsync("redis-cli", "-p", port, "get", "kept")).Output.Trim());

        (await tier.DownAsync())!.EnsureSuccess();
        (await Tier.UpAsync(tier.Folder, tier.BasePort, ForeignParts with { Nginx = false })).EnsureSuccess();
        Assert.Equal(string.Empty, (await CommandRunner.RunAsync("redis-cli", "-p", port, "get", "kept")).Output.Trim());
    }

    [ProgramsFact("redis-server", "mosquitto", "nginx")]
    public async Task A_killed_nginx_leaves_no_worker_behind()
    {
        await using Tier tier = await Tier.UpAsync(ForeignParts);
        int master = tier.Pid("nginx");
        int[] workers = [.. Tool.Processes.ProcessStat.All().Where(stat => stat.SessionId == master && stat.Pid != master).Select(stat => stat.Pid)];
        Assert.NotEmpty(workers);

        // Not by the tool: the workers live on, as orphans that hold the ports.
        using (global::System.Diagnostics.Process process = global::System.Diagnostics.Process.GetProcessById(master))
        {
            process.Kill();
        }

        (await tier.DownAsync())!.EnsureSuccess();
        Assert.All(workers, pid => Assert.False(Tier.Runs(pid)));
    }

    [ProgramsFact("redis-server", "mosquitto")]
    public async Task A_frozen_part_is_taken_down_too()
    {
        await using Tier tier = await Tier.UpAsync(ForeignParts with { Nginx = false });
        int pid = tier.Pid("broker-0");
        _ = tier.Freeze("broker-0");
        (await tier.DownAsync())!.EnsureSuccess();
        Assert.False(Tier.Runs(pid));
    }
}
