using Xunit.Abstractions;

namespace Trunkline.Directory.Tests;

/// <summary>Random histories of three nodes against a model that is a dictionary.</summary>
[Collection("redis")]
public sealed class ModelTests(RedisServers servers, ITestOutputHelper output)
{
    public static TheoryData<string> Kinds => ["memory", "redis", "cluster"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Random_histories_agree_with_a_dictionary(string kind)
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("TRUNKLINE_TEST_SEED"), out int given) ? given : Random.Shared.Next();
        output.WriteLine($"TRUNKLINE_TEST_SEED={seed}");
        var random = new Random(seed);
        await using TestTier tier = servers.Tier(kind);
        NodeDirectory[] nodes = [(await tier.JoinAsync("a")).Directory, (await tier.JoinAsync("b")).Directory, (await tier.JoinAsync("c")).Directory];
        Dictionary<string, SessionToken> model = [];
        List<(string Id, SessionToken Token)> issued = [];
        for (int step = 0; step < 3_000; step++)
        {
            string id = "id" + random.Next(12);
            NodeDirectory node = nodes[random.Next(3)];
            SessionToken stored = model.GetValueOrDefault(id);
            (string Id, SessionToken Token) old = issued.Count == 0 ? (id, new SessionToken(1, node.Self.Id)) : issued[random.Next(issued.Count)];
            switch (random.Next(6))
            {
                case 0 or 1:
                    Claim claim = (await node.ClaimAsync(new(id, step))).Value;
                    Assert.Equal(stored, claim.Previous);
                    Assert.True(claim.Token.Epoch > stored.Epoch && claim.Token.Node == node.Self.Id);
                    model[id] = claim.Token;
                    issued.Add((id, claim.Token));
                    break;
                case 2:
                    SessionToken expected = random.Next(2) == 0 ? stored : old.Token;
                    DirectoryResult<Claim> compared = await node.ClaimAsync(new(id, step, "", ExpectedHolder.Exactly, expected));
                    Assert.Equal(expected == stored ? DirectoryStatus.Ok : DirectoryStatus.Stale, compared.Status);
                    Assert.Equal(stored, compared.Value.Previous);
                    if (compared.IsOk)
                    {
                        model[id] = compared.Value.Token;
                        issued.Add((id, compared.Value.Token));
                    }

                    break;
                case 3:
                    SessionToken atOld = model.GetValueOrDefault(old.Id);
                    DirectoryResult released = await node.ReleaseAsync(old.Id, old.Token);
                    Assert.Equal(atOld.IsNone || atOld == old.Token ? DirectoryStatus.Ok : DirectoryStatus.Stale, released.Status);
                    if (atOld == old.Token)
                    {
                        model.Remove(old.Id);
                    }

                    break;
                case 4:
                    Assert.Equal(stored, (await node.LookUpAsync(id)).Value.Token);
                    break;
                default:
                    await CompareAsync(nodes, model, old, random.Next(2) == 0);
                    break;
            }
        }

        foreach (string id in Enumerable.Range(0, 12).Select(i => "id" + i))
        {
            Assert.Equal(model.GetValueOrDefault(id), (await nodes[0].LookUpAsync(id)).Value.Token);
        }
    }

    private static async Task CompareAsync(NodeDirectory[] nodes, Dictionary<string, SessionToken> model, (string Id, SessionToken Token) held, bool restore)
    {
        NodeDirectory? holder = Array.Find(nodes, n => n.Self.Id == held.Token.Node);
        if (holder is null)
        {
            return;
        }

        HeldSession[] asked = [new(held.Id, held.Token, 1)];
        DirectoryResult<IReadOnlyList<HeldFinding>> found = restore ? await holder.RestoreHeldAsync(asked) : await holder.VerifyHeldAsync(asked);
        Assert.True(found.IsOk, found.Detail);
        SessionToken stored = model.GetValueOrDefault(held.Id);
        if (stored == held.Token)
        {
            Assert.Empty(found.Value);
            return;
        }

        HeldStanding expected = stored.Epoch >= held.Token.Epoch && !stored.IsNone ? HeldStanding.Stale
            : restore ? HeldStanding.Restored : HeldStanding.Missing;
        Assert.Equal(expected, Assert.Single(found.Value).Standing);
        if (expected == HeldStanding.Restored)
        {
            model[held.Id] = held.Token;
        }
    }
}
