using Trunkline.Directory;
using Trunkline.Sessions;

namespace Trunkline.Proxy.Tests.Sessions;

/// <summary>How the parts of the loops become one checkpoint.</summary>
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

    private static CheckpointPart Part(ulong offset, int laggards, long lowestPending = long.MaxValue) => new()
    {
        Positions = [new(1, offset)],
        Laggards = [.. Enumerable.Range(0, laggards).Select(n => ($"d{n}", (IReadOnlyList<LogPosition>)[new LogPosition(1, 3)]))],
        LowestPending = lowestPending,
    };
}
