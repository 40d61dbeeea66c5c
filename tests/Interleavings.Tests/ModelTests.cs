using System.Diagnostics;
using Xunit.Abstractions;

namespace Trunkline.Interleavings;

/// <summary>
/// The model with all rules in: no history may break. More of them than the standing suite goes through:
/// <c>TRUNKLINE_HISTORIES=20000 TRUNKLINE_SEED=1 ./trunkline test --project Interleavings.Tests --filter FullyQualifiedName~ModelTests</c>.
/// </summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(nameof(Faults.All), 800)]
    [InlineData(nameof(Faults.ForgetfulGroups), 150)]
    [InlineData(nameof(Faults.DirectoryStands), 150)]
    [InlineData(nameof(Faults.DirectoryAway), 100)]
    [InlineData(nameof(Faults.DirectoryClock), 200)]
    [InlineData(nameof(Faults.LateCalls), 300)]
    [InlineData(nameof(Faults.HeldSweeps), 200)]
    [InlineData(nameof(Faults.EmptiedDirectory), 300)]
    [InlineData(nameof(Faults.EmptiedAmidMoves), 120)]
    [InlineData(nameof(Faults.Returns), 200)]
    [InlineData(nameof(Faults.Drains), 300)]
    [InlineData(nameof(Faults.Reconnects), 300)]
    [InlineData(nameof(Faults.Shares), 300)]
    [InlineData(nameof(Faults.ShareTakes), 200)]
    [InlineData(nameof(Faults.IdsComeRound), 150)]
    [InlineData(nameof(Faults.LateFilters), 300)]
    [InlineData(nameof(Faults.Retained), 300)]
    [InlineData(nameof(Faults.RetainedPages), 300)]
    [InlineData(nameof(Faults.RetainedSkips), 300)]
    public void No_history_breaks(string faults, int histories)
    {
        int first = Exploration.Number("TRUNKLINE_SEED", 1);
        int count = Exploration.Number("TRUNKLINE_HISTORIES", histories);
        var clock = Stopwatch.StartNew();
        int messages = 0;
        int deliveries = 0;
        History? broken = Exploration.FindBroken(first, count, null, Enum.Parse<Faults>(faults), history =>
        {
            messages += history.Messages;
            deliveries += history.Deliveries;
        });
        output.WriteLine($"{faults}: seeds {first} to {first + count - 1}, {messages} messages, {deliveries} deliveries, {clock.ElapsedMilliseconds} ms");
        if (broken is not null)
        {
            Assert.Fail(Exploration.Explain(broken));
        }

        Assert.True(deliveries > messages / 2, "The model's devices got next to nothing: it explores nothing.");
    }

    [Fact]
    public void The_same_seed_tells_the_same_story()
    {
        for (int seed = 1; seed <= 20; seed++)
        {
            var explored = History.Explore(seed);
            List<string> once = [];
            List<string> twice = [];
            History.Replay(explored.Settings, null, explored.Steps, once);
            History.Replay(explored.Settings, null, explored.Steps, twice);
            Assert.Equal(once, twice);
        }
    }
}
