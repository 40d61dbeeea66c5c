using System.Text;
using Trunkline.Topics;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests;

/// <summary>A Cluster of three masters with a replica each.</summary>
public sealed class ClusterTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_masters_death_is_a_new_generation_for_all_buckets(int victim)
    {
        RedisServer[] servers = await RedisServer.StartClusterOfSixAsync();
        try
        {
            await using var tier = new TestTier(servers[0], "t");
            DirectoryOptions options = tier.Options with { Endpoints = [.. servers.Select(s => s.Endpoint)], LeaseMs = 20_000, Durability = "aof-everysec" };
            var (one, events) = await tier.JoinAsync("one", options);
            var (two, _) = await tier.JoinAsync("two", options);
            List<HeldSession> held = [];
            for (int i = 0; i < 300; i++)
            {
                SessionChange record = Sets(("p", "p" + i)) with { ExpirySeconds = 3_600 };
                held.Add(new("d" + i, (await one.MustClaimAsync("d" + i, record, i)).Token, i) { Record = record });
            }

            string generation = one.Health.Generation;
            await servers[victim].KillAsync();
            IReadOnlyList<DirectoryResult> results = await one.WriteSessionsAsync([.. held.Select(h => new SessionWrite(h.ClientId, h.Token, Sets(("p", "late"))))])
                .AsTask().WaitAsync(TimeSpan.FromSeconds(10));
            Assert.Contains(results, r => r.Status == DirectoryStatus.Unavailable);
            await events.NextAsync<HeldDoubt>(d => d == HeldDoubt.NewGeneration, 60);
            Assert.NotEqual(generation, one.Health.Generation);
            await Eventually.HoldsAsync(async () => (await one.RestoreHeldAsync(held)).IsOk, "written back");
            foreach (HeldSession session in held)
            {
                await Eventually.HoldsAsync(async () => (await two.ReadSessionAsync(session.ClientId)).IsOk, "read by the other node");
                StoredSession stored = await two.MustReadAsync(session.ClientId);
                Assert.Equal((session.Token, $"p=p{session.AttachNumber}"), (stored.Token, stored.Text()));
            }

            // The other node may be between two connections still: its calls say so and are made again.
            DirectoryResult<Claim> fresh = default;
            await Eventually.HoldsAsync(
                async () => (fresh = await two.ClaimAsync(new("fresh", 1))).IsOk, () => $"{fresh.Status} {fresh.Detail}; {two.Health}");
        }
        finally
        {
            foreach (RedisServer server in servers)
            {
                await server.DisposeAsync();
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Only_what_the_master_of_a_held_replica_took_is_unconfirmed(int victim)
    {
        RedisServer[] servers = await RedisServer.StartClusterOfSixAsync();
        try
        {
            await using var tier = new TestTier(servers[0], "t");
            DirectoryOptions options = tier.Options with
            {
                Endpoints = [.. servers.Select(s => s.Endpoint)],
                LeaseMs = 20_000,
                Durability = "replicas(1)",
                ReplicaWaitMs = 300,
            };
            var (one, _) = await tier.JoinAsync("one", options);
            string[] ids = [.. Enumerable.Range(0, 60).Select(i => "d" + i)];
            ILookup<int, string> byMaster = ids.ToLookup(id => Slots.OfKey(Encoding.UTF8.GetBytes((string)new RedisKeys("t").Session(id)[4]!)) / 5_461);
            Assert.All(Enumerable.Range(0, 3), master => Assert.NotEmpty(byMaster[master]));

            // On a loaded machine a replica may need longer than the wait: then the claim is made again.
            async Task ClaimAllAsync(IEnumerable<string> clients, int attempt)
            {
                DirectoryResult<Claim> last = default;
                foreach (string id in clients)
                {
                    await Eventually.HoldsAsync(async () => (last = await one.ClaimAsync(new(id, attempt))).IsOk, () => $"{id}: {last.Status} {last.Detail}");
                }
            }

            await ClaimAllAsync(ids, 1);
            servers[victim + 3].Stop();
            DirectoryResult<Claim>[] held = await Task.WhenAll(byMaster[victim].Select(id => one.ClaimAsync(new(id, 2)).AsTask()));
            Assert.All(held, claim => Assert.Equal(
                (DirectoryStatus.Unavailable, "only 0 of 1 replicas confirmed within 300 ms"), (claim.Status, claim.Detail)));
            await ClaimAllAsync(ids.Except(byMaster[victim]), 2);
            servers[victim + 3].Continue();
            await ClaimAllAsync(byMaster[victim], 3);
        }
        finally
        {
            foreach (RedisServer server in servers)
            {
                await server.DisposeAsync();
            }
        }
    }
}
