using System.Text;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;

namespace Trunkline.SystemTests.Dashboards;

/// <summary>The dashboards show something: every query is understood by Prometheus and answered from a tier.</summary>
public sealed class DashboardTests
{
    [ProgramsFact("promtool")]
    public async Task Prometheus_understands_every_query_and_the_configuration()
    {
        StringBuilder rules = new("groups:\n  - name: dashboards\n    rules:\n");
        foreach (DashboardQuery query in DashboardFiles.Queries())
        {
            rules.Append("      - record: q\n        expr: '").Append(query.Expression.Replace("'", "''", StringComparison.Ordinal)).Append("'\n");
            rules.Append("        labels: {panel: \"").Append(query.Panel).Append('"').Append("}\n");
        }

        string folder = Tier.NewFolder();
        string file = Path.Combine(folder, "rules.yml");
        await File.WriteAllTextAsync(file, rules.ToString());
        (await CommandRunner.RunAsync("promtool", "check", "rules", file)).EnsureSuccess();
        (await CommandRunner.RunAsync(
            "promtool", "check", "config", Path.Combine(Repository.Root, "docs", "prometheus", "prometheus.yml"))).EnsureSuccess();
        Directory.Delete(folder, recursive: true);
    }

    [ProgramsFact("prometheus", "redis-server", "mosquitto_sub")]
    public async Task Every_query_is_answered_from_a_running_tier()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 1 });
        await using PrometheusServer prometheus = await PrometheusServer.StartAsync(tier.Now, tier.BasePort + 9);
        int port = tier.Now.Proxies[0].Mqtt;
        await using MosquittoSubscriber subscriber = await MosquittoSubscriber.SubscribeAsync(port, "-t", "#", "-q", "2");
        foreach (string qos in new[] { "0", "1", "2" })
        {
            await MosquittoPublisher.PublishAsync(port, "-t", "a/b", "-m", "hello", "-q", qos);
        }

        await subscriber.AwaitMessagesAsync(3);

        // A rate needs two scrapes; what still has no answer after the deadline never will.
        List<DashboardQuery> open = [.. DashboardFiles.Queries()];
        Assert.NotEmpty(open);
        await Eventually.HoldsAsync(
            async () =>
            {
                foreach (DashboardQuery query in open.ToArray())
                {
                    if (await prometheus.QueryAsync(query.Expression) > 0)
                    {
                        open.Remove(query);
                    }
                }

                return open.Count == 0;
            },
            () => "answers to " + string.Join("\n", open));
    }
}
