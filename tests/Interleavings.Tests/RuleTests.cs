using Xunit.Abstractions;

namespace Trunkline.Interleavings;

/// <summary>
/// Each rule is there because a history breaks without it: the model finds one again, from whichever seed it begins
/// (<c>TRUNKLINE_SEED</c>).
/// </summary>
public sealed class RuleTests(ITestOutputHelper output)
{
    /// <summary>Histories within which a missing rule must show.</summary>
    private const int Histories = 1_500;

    /// <summary>Replays for the short history that is printed.</summary>
    private const int Replays = 100;

    public static TheoryData<string> Rules => [.. Enum.GetNames<Rule>()];

    [Theory]
    [MemberData(nameof(Rules))]
    public void Without_a_rule_a_history_breaks(string name)
    {
        Rule rule = Enum.Parse<Rule>(name);
        Faults faults = rule switch
        {
            Rule.TermRises => Faults.ForgetfulGroups,
            Rule.LeaseIsACounter => Faults.DirectoryStands,
            Rule.HeldIsWrittenBack or Rule.ClaimsWaitForRecovery => Faults.EmptiedDirectory,
            Rule.LeaseOverOneConnection => Faults.DirectoryAway,
            Rule.ReadsSkipBelowStart => Faults.LateFilters,
            Rule.IdsWaitForRecord => Faults.IdsComeRound,
            Rule.EpochAboveStored => Faults.DirectoryClock,
            Rule.EpochAboveTime => Faults.EmptiedDirectory,
            Rule.NewestConnectHolds => Faults.EmptiedAmidMoves,
            Rule.SentAwayWillWaits or Rule.BackDropsTheWill => Faults.Drains,
            Rule.RetainedPendingIsWritten => Faults.RetainedPages,
            Rule.SkippedIsAskedForAgain or Rule.SkippedIsWritten => Faults.RetainedSkips,
            Rule.ShareTakeIsKept => Faults.ShareTakes,
            >= Rule.ShareIsTaken => Faults.Shares,
            Rule.DeadCheckpointIsFrozen or Rule.DeadNodeClosesDevices => Faults.HeldSweeps,
            Rule.LateWriteChangesNothing or Rule.GhostsAreListed or Rule.LateClaimChangesNothing => Faults.LateCalls,
            _ => Faults.All,
        };
        History? broken = Exploration.FindBroken(Exploration.Number("TRUNKLINE_SEED", 1), Histories, rule, faults);
        Assert.True(broken is not null, $"No history of {Histories} breaks without {rule}.");
        output.WriteLine($"Seed {broken.Settings.Seed} is the first. {Shrinker.Shrink(broken, Replays)}");
    }
}
