using System.Globalization;
using Trunkline.Directory;
using Trunkline.Proxy;
using Trunkline.ProxyTests.Support;
using Trunkline.Sessions;

namespace Trunkline.ProxyTests.Sessions;

/// <summary>How the parts of the loops become one checkpoint, and what is told when they cannot.</summary>
public sealed class CheckpointWriterTests
{
    private static readonly NodeCheckpoint Written = new(5, [new(1, 100)], [("slow", [new(1, 7)])]);

    [Fact]
    public void The_least_of_all_loops_holds()
    {
        NodeCheckpoint joined = CheckpointWriter.Join([Part(120, 1), Part(110, 1, lowestPending: 8)], 9, Written, isLeaving: false)!;
        Assert.Equal((7, new LogPosition(1, 110), 2, false), (joined.AttachNumber, joined.Positions[0], joined.Laggards.Count, joined.IsLeaving));
    }

    /// <summary>What was covered before stands in no record any more: positions never go back, however many are behind.</summary>
    [Fact]
    public void With_more_laggards_than_may_be_listed_the_checkpoint_before_stays()
    {
        const int most = NodeCheckpoint.MaxLaggards;
        Assert.Equal(most, CheckpointWriter.Join([Part(120, most - 1), Part(110, 1)], 9, Written, isLeaving: false)!.Laggards.Count);
        Assert.Null(CheckpointWriter.Join([Part(120, most), Part(110, 1)], 9, Written, isLeaving: false));

        NodeCheckpoint leaving = CheckpointWriter.Join([Part(120, most), Part(110, 1)], 9, Written, isLeaving: true)!;
        Assert.Equal(Written with { IsLeaving = true }, leaving);
        NodeCheckpoint first = CheckpointWriter.Join([Part(120, most), Part(110, 1)], 9, null, isLeaving: true)!;
        Assert.Equal((0, 0, true), (first.AttachNumber, first.Positions.Count, first.IsLeaving));
    }

    [Fact]
    public async Task A_checkpoint_that_is_held_back_is_told_once_and_so_is_that_they_go_on()
    {
        await using TestNode node = await TestNode.StartAsync(new DirectoryMemory(TimeProvider.System), "behind");
        KeeperCounters counters = node.Gates[0].Keeper.Counters;
        var checkpoints = new CheckpointWriter(node.Gates, node.Directory, node.Numbers, 20, node.Log);
        await node.Loops[0].InvokeAsync(() =>
        {
            // Claims that nobody knows the outcome of: the node gives 256 of them up each second.
            for (int n = 0; n < NodeCheckpoint.MaxLaggards + 300; n++)
            {
                node.Gates[0].Ghosts.Add(string.Create(CultureInfo.InvariantCulture, $"g{n}"), isUnknown: true);
            }

            checkpoints.Start();
        });
        await Eventually.HoldsAsync(() => counters.Read(KeeperCounter.CheckpointsHeldBack) > 1, "two are held back");
        await Eventually.HoldsAsync(() => counters.Read(KeeperCounter.Checkpoints) > 0, "one is written");
        await node.Loops[0].InvokeAsync(checkpoints.Stop);
        string[] told = [.. node.Log.Lines.Where(line => line.StartsWith("113", StringComparison.Ordinal))];
        Assert.Equal(2, told.Length);
        Assert.StartsWith("1131 1300 sessions are behind the checkpoint, and it lists no more than 1000 apart", told[0], StringComparison.Ordinal);
        Assert.StartsWith("1132 Checkpoints go on", told[1], StringComparison.Ordinal);
    }

    private static CheckpointPart Part(ulong offset, int laggards, long lowestPending = long.MaxValue) => new()
    {
        Positions = [new(1, offset)],
        Laggards = [.. Enumerable.Range(0, laggards).Select(n => ($"d{n}", (IReadOnlyList<LogPosition>)[new LogPosition(1, 3)]))],
        LowestPending = lowestPending,
    };
}
