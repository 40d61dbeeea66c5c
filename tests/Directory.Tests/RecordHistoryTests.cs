using System.Globalization;
using Trunkline.Sessions;
using Xunit.Abstractions;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests;

/// <summary>Random histories of claims, writes, ends, deaths and due work against <see cref="RecordModel"/>.</summary>
[Collection("redis")]
public sealed class RecordHistoryTests(RedisServers servers, ITestOutputHelper output)
{
    private const int Ids = 5;

    public static TheoryData<string> Kinds => ["memory", "redis", "cluster"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Random_histories_agree_with_the_model(string kind)
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("TRUNKLINE_TEST_SEED"), out int given) ? given : Random.Shared.Next();
        output.WriteLine($"TRUNKLINE_TEST_SEED={seed}");
        await using TestTier tier = servers.Tier(kind);
        var history = new History(tier, new Random(seed));
        await history.BeginAsync();
        for (int step = 0; step < 2_500; step++)
        {
            await history.StepAsync(step);
        }
    }

    private sealed class History(TestTier tier, Random random)
    {
        private readonly Dictionary<string, RecordModel> _models = [];
        private readonly List<(string Id, SessionToken Token)> _issued = [];
        private readonly NodeDirectory[] _nodes = new NodeDirectory[3];
        private readonly NodeCheckpoint?[] _checkpoints = new NodeCheckpoint?[3];
        private int _step;

        public async Task BeginAsync()
        {
            for (int i = 0; i < _nodes.Length; i++)
            {
                _nodes[i] = await JoinAsync();
            }
        }

        public async Task StepAsync(int step)
        {
            _step = step;
            string id = "id" + random.Next(Ids);
            if (!_models.TryGetValue(id, out RecordModel? model))
            {
                _models[id] = model = new();
            }

            int node = random.Next(_nodes.Length);
            switch (random.Next(20))
            {
                case < 7:
                    await ClaimAsync(id, model, node);
                    break;
                case < 11:
                    await WriteAsync(id, model, random.Next(2) == 0);
                    break;
                case < 13:
                    await StaleWriteAsync();
                    break;
                case < 15:
                    char due = random.Next(2) == 0 ? 'w' : 'x';
                    await tier.BringForwardAsync(id, due);
                    model.BringForward(due);
                    break;
                case < 18:
                    await DueAsync(id, model, _nodes[node]);
                    break;
                case 18:
                    await CheckpointAsync(node);
                    break;
                default:
                    if (random.Next(20) == 0)
                    {
                        await DieAsync(node);
                    }

                    break;
            }

            await CompareAsync(id, model, _nodes[random.Next(_nodes.Length)]);
        }

        private async Task<NodeDirectory> JoinAsync() =>
            (await tier.JoinAsync("n", tier.Options with { LeaseMs = 900_000, LeaseRaiseIntervalMs = 60_000 })).Directory;

        private SessionChange Change(bool mayClear)
        {
            uint? expiry = random.Next(4) switch { 0 => 0u, 1 => 3_600u, 2 => SessionChange.NeverExpires - 1, _ => null };
            uint? delay = random.Next(3) switch { 0 => 0u, 1 => 3_600u, _ => null };
            List<SessionField> sets = [Field("f:" + random.Next(4), "v" + _step), Field("p", "p" + _step)];
            if (delay.HasValue)
            {
                sets.Add(Field("w", "will" + _step));
            }

            return new()
            {
                ClearsAll = mayClear && random.Next(4) == 0,
                DropsWill = random.Next(4) == 0,
                ExpirySeconds = expiry,
                WillDelaySeconds = delay,
                Sets = sets,
                Deletes = ["f:" + (4 + random.Next(2)), "o:1"],
            };
        }

        private async Task ClaimAsync(string id, RecordModel model, int node)
        {
            SessionChange change = Change(mayClear: true);
            ExpectedHolder expecting = (ExpectedHolder)random.Next(3);
            SessionToken expected = random.Next(3) > 0 || _issued.Count == 0 ? model.Holder : _issued[random.Next(_issued.Count)].Token;
            bool granted = expecting == ExpectedHolder.Any || (expecting == ExpectedHolder.Free ? model.IsFree : expected == model.Holder);
            var request = new ClaimRequest(id, _step, "", expecting, expected) { Change = change };
            DirectoryResult<Claim> claim = await _nodes[node].ClaimAsync(request);
            Assert.Equal((granted ? DirectoryStatus.Ok : DirectoryStatus.Stale, model.Holder), (claim.Status, claim.Value.Previous));
            if (!granted)
            {
                return;
            }

            string before = string.Join(',', model.Fields.Where(f => f.Key != "w").Select(f => $"{f.Key}={f.Value}"));
            IReadOnlyList<LogPosition>? checkpoint = model.Checkpoint;
            bool exists = model.Claim(claim.Value.Token, _step, change);
            Assert.Equal(exists, claim.Value.SessionExists);
            Assert.Equal(exists && !change.ClearsAll ? before : "none", claim.Value.Record.Text());
            Assert.Equal(exists && !change.ClearsAll ? checkpoint : null, claim.Value.Record?.Checkpoint);
            _issued.Add((id, claim.Value.Token));
        }

        private async Task WriteAsync(string id, RecordModel model, bool detach)
        {
            if (model.IsFree)
            {
                return;
            }

            NodeDirectory holder = Array.Find(_nodes, n => n.Self.Id == model.Holder.Node)!;
            SessionChange change = Change(mayClear: false) with { ClearsAll = random.Next(8) == 0 };
            SessionToken token = model.Holder;
            model.Write(change);
            if (detach)
            {
                uint? wait = change.DropsWill ? null : random.Next(4) switch { 0 => 0, 1 => 3_600u, _ => null };
                await holder.DetachSessionAsync(id, token, change with { WillWaitSeconds = wait }).MustAsync();
                model.Detach(wait);
            }
            else
            {
                await holder.WriteSessionAsync(id, token, change).MustAsync();
            }
        }

        private async Task StaleWriteAsync()
        {
            if (_issued.Count > 0 && _issued[random.Next(_issued.Count)] is var old && old.Token != _models[old.Id].Holder)
            {
                DirectoryStatus status = (await _nodes[0].WriteSessionAsync(old.Id, old.Token, Change(mayClear: true))).Status;
                Assert.True(status == DirectoryStatus.Stale || (status == DirectoryStatus.Missing && _models[old.Id].IsFree), status.ToString());
                await CompareAsync(old.Id, _models[old.Id], _nodes[1]);
            }
        }

        private async Task DueAsync(string id, RecordModel model, NodeDirectory worker)
        {
            DueItem[] due = await worker.DueAsync(id);
            Assert.Equal(model.Due, due.Select(d => d.Kind == DueKind.Expiry ? "expiry" : string.Create(CultureInfo.InvariantCulture, $"will {d.Epoch} {d.Will.Text()}")).Order(StringComparer.Ordinal));
            foreach (DueItem item in due.Where(_ => random.Next(2) == 0))
            {
                await worker.FinishDueAsync(item).MustAsync();
                if (item.Kind == DueKind.Will)
                {
                    model.FinishWill(item.Epoch);
                }
                else
                {
                    model.FinishExpiry();
                }
            }
        }

        private async Task CheckpointAsync(int node)
        {
            string laggard = "id" + random.Next(Ids);
            NodeCheckpoint checkpoint = new(_step - random.Next(40), [new(1, (ulong)_step + 1)], [(laggard, [new(1, 1)])]);
            await _nodes[node].WriteCheckpointAsync(checkpoint).MustAsync();
            _checkpoints[node] = checkpoint;
        }

        private async Task DieAsync(int node)
        {
            NodeDirectory victim = _nodes[node];
            Assert.True((await _nodes[(node + 1) % _nodes.Length].DetachNodeAsync(victim.Self.Id, default)).IsOk);
            Assert.Equal(DirectoryStatus.DeclaredDead, (await victim.ClaimAsync(new("id0", 1))).Status);
            foreach ((string id, RecordModel model) in _models)
            {
                if (model.Holder.Node == victim.Self.Id)
                {
                    model.Die(_checkpoints[node], id);
                }
            }

            await victim.DisposeAsync();
            _nodes[node] = await JoinAsync();
            _checkpoints[node] = null;
        }

        private static async Task CompareAsync(string id, RecordModel model, NodeDirectory reader)
        {
            StoredSession stored = await reader.MustReadAsync(id);
            Assert.Equal((model.Holder, model.Expiry, model.Expiry > 0, model.StoredDelay), (stored.Token, stored.ExpirySeconds, stored.Exists, stored.WillDelaySeconds));
            Assert.Equal(model.Text, stored.Text());
            Assert.Equal(model.Checkpoint, stored.Checkpoint);
        }
    }
}
