using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Xunit.Abstractions;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Row 2 of the faults for shared subscriptions that outlive their members' connections: brokers are killed under load
/// while members move between the proxies. What was acknowledged comes to the group, QoS 2 once.
/// </summary>
public sealed class ShareKillTests(ITestOutputHelper output)
{
    private const int Seed = 17;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [ProgramsFact("redis-server")]
    public async Task Brokers_killed_under_restless_members_lose_nothing_of_a_share_and_double_no_QoS_2()
    {
        output.WriteLine($"Seed {Seed}.");
        await using Tier tier = await Tier.UpAsync(new TierOptions
        {
            Proxies = 2,
            Groups = 2,
            ProxySettings = ["Links:GroupAwayTimeoutMs=120000", "Links:SubscribeTimeoutMs=120000"],
        });
        int[] ports = [.. tier.Now.Proxies.Select(proxy => proxy.Mqtt)];
        var shares = new DeliveryLedger();
        List<ShareMember> members = [];
        try
        {
            for (int n = 0; n < 6; n++)
            {
                // Two shares: a member of QoS 1 may get again what one of QoS 2 must not.
                QoS qos = n % 2 == 0 ? QoS.ExactlyOnce : QoS.AtLeastOnce;
                string share = $"at-{(int)qos}";
                members.Add(await ShareMember.StartAsync(
                    ports, $"share-{n}", ($"$share/{share}/shares/#", qos), Seed + n, message => shares.Deliver(share, message)));
            }

            await using Traffic traffic = await Traffic.StartAsync(ports, new TrafficOptions { Name = "shares", Pairs = 2, Topics = 2 });
            for (int round = 0; round < 4; round++)
            {
                await traffic.EveryStreamFlowsAsync(10, Patience);
                string broker = $"broker-{round % 2}";
                await tier.KillAsync(broker);
                await Eventually.LastsAsync(TimeSpan.FromMilliseconds(round * 400));
                await tier.StartAsync(broker);
            }

            await traffic.EveryStreamFlowsAsync(10, Patience);
            await Eventually.InTimeAsync(Task.WhenAll(members.Select(member => member.StayAsync())), "the members to settle", Patience);
            await traffic.FinishAsync(Patience);
            traffic.AssertUnharmed();
            string[] Lacking() => [.. new[] { "at-1", "at-2" }.SelectMany(share => shares.Missing(share, _ => true, traffic.Ledger))];
            await Eventually.HoldsAsync(() => Lacking().Length == 0, () => string.Join(", ", Lacking().Take(20)), Patience);
            Assert.Empty(shares.DuplicatesOfQoS2());
            output.WriteLine(
                $"{traffic.Ledger.Acknowledged} acknowledged, none lost by 2 shares, {members.Sum(member => member.Connections)} connections of members, "
                + $"{shares.RepeatsOfQoS1} repeats at QoS 1.");
        }
        finally
        {
            foreach (ShareMember member in members)
            {
                await member.DisposeAsync();
            }
        }
    }
}
