namespace Trunkline.Sessions.Tests.State;

/// <summary>What a session remembers of skipped parts of its logs while retained messages are pending.</summary>
public sealed class PendingRetainedTests
{
    [Fact]
    public void Pages_are_due_again_only_where_one_left_something_to_a_part_that_was_skipped()
    {
        var pending = new PendingRetained();
        pending.Leave(Part(0, 9, 10));
        pending.Leave(Part(0, 19, 20));
        pending.Skip(Part(0, 0, 9));
        pending.Skip(Part(0, 20, 30));
        pending.Skip(Part(1, 0, 30));
        Assert.False(pending.IsDue);
        pending.Skip(Part(0, 31, 32));
        Assert.False(pending.IsDue);
        pending.Leave(Part(0, 31, 32));
        Assert.True(pending.IsDue);
    }

    [Fact]
    public void What_is_asked_for_again_is_given_once_and_stays_in_the_record()
    {
        var pending = new PendingRetained();
        pending.Leave(Part(0, 4, 5));
        pending.Skip(Part(0, 0, 5));
        pending.BeginAgain();
        Assert.False(pending.IsDue);
        Assert.Equal([Part(0, 0, 5)], pending.Given);
        pending.Leave(Part(0, 6, 7));
        pending.Skip(Part(0, 5, 7));
        Assert.True(pending.IsDue);
        pending.BeginAgain();
        Assert.Equal([Part(0, 5, 7)], pending.Given);
        Assert.Equal([Part(0, 0, 7)], pending.Skipped);
    }

    [Fact]
    public void A_checkpoint_waits_before_the_first_part_that_is_not_recorded()
    {
        var pending = new PendingRetained();
        pending.Skip(Part(0, 3, 5));
        pending.Skip(Part(0, 7, 9));
        Assert.Equal(new LogPosition(1, 3), pending.HeldAt(0));
        Assert.True(pending.HeldAt(1).IsNone);
        pending.Recorded();
        Assert.True(pending.HeldAt(0).IsNone);
        pending.Skip(Part(0, 11, 12));
        Assert.Equal(new LogPosition(1, 11), pending.HeldAt(0));
    }

    [Fact]
    public void Beyond_the_limit_neighbours_count_as_one_and_nothing_skipped_is_forgotten()
    {
        var pending = new PendingRetained();
        for (ulong i = 0; i < 1_000; i++)
        {
            pending.Skip(Part((int)(i % 2), 10 * i, (10 * i) + 5));
        }

        Assert.Equal(PendingRetained.MaximumSkipped, pending.Skipped.Count);
        for (ulong i = 0; i < 1_000; i++)
        {
            Assert.Contains(pending.Skipped, part => part.Holds((int)(i % 2), new LogPosition(1, (10 * i) + 5)));
        }

        Assert.DoesNotContain(pending.Skipped, part => part.Holds(0, new LogPosition(1, 9_990)));
    }

    private static LogRange Part(int group, ulong after, ulong upTo) => new(group, new LogPosition(1, after), new LogPosition(1, upTo));
}
