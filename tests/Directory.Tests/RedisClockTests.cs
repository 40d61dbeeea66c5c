using System.Globalization;
using Trunkline.Sessions;
using static Trunkline.Directory.Tests.Records;

namespace Trunkline.Directory.Tests;

/// <summary>
/// Row 15 for Redis: its wall clock jumps by an hour, both ways. Epochs and positions come from it, and what is due: none of
/// them may go back or come twice, and leases, which are counters, must not notice.
/// </summary>
public sealed class RedisClockTests
{
    private const uint Hour = 3_600;

    private static readonly int[] Jumps = [1, 0, -1, 1, -1, 0];

    [Fact]
    public async Task Claims_and_positions_grow_what_is_due_comes_once_and_nobody_is_expelled()
    {
        using FakeClock clock = new();
        await using RedisServer server = await RedisServer.StartAsync(clock.ApplyToRedis);
        await using var tier = new TestTier(server, "t");
        await using var streams = new StreamHarness(server);
        var (one, events) = await tier.JoinAsync("one");
        var (two, others) = await tier.JoinAsync("two");
        GroupStream stream = await streams.OpenAsync();
        SessionToken last = SessionToken.None;
        LogPosition end = LogPosition.None;
        List<string> appended = [];
        List<string> due = [];
        for (int round = 0; round < Jumps.Length; round++)
        {
            clock.Jump(string.Create(CultureInfo.InvariantCulture, $"{Jumps[round]:+0;-0;+0}h"));
            await JumpedAsync(server, Jumps[round]);

            // Two leases pass, in which whoever went by that clock would find the others dead.
            await Eventually.LastsAsync(TimeSpan.FromMilliseconds(2 * tier.Options.LeaseMs));

            // The epoch of a claim lies above every one before, whoever claims; what the one before wrote is fenced.
            NodeDirectory claims = round % 2 == 0 ? one : two;
            Claim claim = await claims.MustClaimAsync("id", Sets(("w", $"will {round}")) with { ExpirySeconds = Hour, WillDelaySeconds = 60 }, round + 1);
            Assert.True(claim.Token.Epoch > last.Epoch, $"the claim of round {round} got {claim.Token} after {last}");
            if (!last.IsNone)
            {
                Assert.Equal(DirectoryStatus.Stale, (await claims.WriteSessionAsync("id", last, Sets(("p", "late")))).Status);
            }

            last = claim.Token;

            // So does the position of a message.
            appended.Add($"{round}");
            StreamAppended position = await StreamHarness.AppendAsync(stream, "n/1", (ulong)round, (ulong)round + 1, $"{round}");
            Assert.True(position.End > end, $"round {round}: {position.End} after {end}");
            end = position.End;

            // A will a minute from now, and a session that ends in an hour and a half: whoever looks works off what is due.
            await claims.DetachSessionAsync("id", claim.Token, SessionChange.None).MustAsync();
            Claim ends = await claims.MustClaimAsync($"ends {round}", new() { ExpirySeconds = Hour + (Hour / 2) });
            await claims.ReleaseAsync($"ends {round}", ends.Token).MustAsync();
            foreach (NodeDirectory node in (NodeDirectory[])[one, two, one])
            {
                foreach (string clientId in (string[])["id", .. Enumerable.Range(0, round + 1).Select(before => $"ends {before}")])
                {
                    foreach (DueItem item in await node.DueAsync(clientId))
                    {
                        due.Add(item.Kind == DueKind.Will ? item.Will.Text() : item.ClientId);
                        await node.FinishDueAsync(item).MustAsync();
                    }
                }
            }
        }

        // What was set an hour back was due when the clock went forward, once, whatever it said later; all else was dropped
        // by the next claim, or waits.
        Assert.Equal(["will 2", "ends 2", "will 4"], due);
        Assert.Equal(appended, await StreamHarness.ReadAllAsync(stream));
        foreach ((NodeDirectory node, RecordingEvents told) in ((NodeDirectory, RecordingEvents)[])[(one, events), (two, others)])
        {
            Assert.Equal(DirectoryState.Connected, node.Health.State);
            Assert.Equal(2, node.Nodes.Count);
            Assert.False(told.Drain<RecordingEvents.Gone>());
        }
    }

    /// <summary>Redis lives by the clock that jumped: the library looks at it once a second.</summary>
    private static Task JumpedAsync(RedisServer server, int hours) => Eventually.HoldsAsync(
        async () =>
        {
            string[] answer = (await server.CommandAsync("TIME")).Split("\r\n");
            long seconds = long.Parse(answer[2], CultureInfo.InvariantCulture);
            return Math.Abs(seconds - TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - (hours * (long)Hour)) < 60;
        },
        "the clock of Redis has jumped");
}
