using Trunkline.Protocol;
using Trunkline.Tool;
using Trunkline.Tool.Chaos;

namespace Trunkline.SystemTests.Chaos;

/// <summary>The judge of `./trunkline chaos` must be able to find every wrong, and its schedule must come again.</summary>
public sealed class ChaosTests
{
    private static readonly ChaosOptions Options = new() { Seed = 42, Duration = TimeSpan.FromMinutes(1) };

    [Fact]
    public void The_same_seed_gives_the_same_faults_and_every_fault_comes()
    {
        FaultSchedule one = new(Options);
        FaultSchedule other = new(Options);
        Fault[] faults = [.. Enumerable.Range(0, 300).Select(_ => one.Next())];
        Assert.Equal(faults, Enumerable.Range(0, 300).Select(_ => other.Next()));
        Assert.Equal(FaultKinds.All.Count, faults.Select(fault => fault.Kind.Name).Distinct().Count());
        Assert.All(faults, fault => Assert.InRange(fault.Lasts, TimeSpan.Zero, Options.LongestAway));
        Assert.Contains(faults, fault => fault.IsPaired);
    }

    [Fact]
    public void An_unknown_fault_is_refused_with_the_known_ones()
    {
        Assert.Equal(["proxy-kill", "redis-freeze"], FaultKinds.Parse("proxy-kill, redis-freeze").Select(kind => kind.Name));
        Assert.DoesNotContain(FaultKinds.Parse(null, hasReplicas: false), kind => kind.Name == "promote");
        ToolException refusal = Assert.Throws<ToolException>(() => FaultKinds.Parse("meteor"));
        Assert.Contains("broker-kill", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_acknowledged_and_did_not_come_is_missing()
    {
        ChaosLedger ledger = new();
        ledger.AddReader("reader", stream => stream == "s");
        ledger.Acknowledge("s", 1);
        ledger.Acknowledge("s", 2);
        ledger.Acknowledge("other", 1);
        ledger.Deliver("reader", ChaosLedger.Payload("s", 1), QoS.AtLeastOnce, isOrdered: true);
        Assert.Equal(["reader lacks s|2"], ledger.Missing());
    }

    [Fact]
    public void Repeats_count_at_QoS_1_and_are_wrong_at_QoS_2()
    {
        ChaosLedger ledger = new();
        foreach (QoS qos in new[] { QoS.AtLeastOnce, QoS.ExactlyOnce })
        {
            ledger.Deliver("reader", ChaosLedger.Payload($"s{(int)qos}", 1), qos, isOrdered: true);
            ledger.Deliver("reader", ChaosLedger.Payload($"s{(int)qos}", 1), qos, isOrdered: true);
        }

        Assert.Equal((1, 1), (ledger.Repeats, ledger.Duplicates));
    }

    [Fact]
    public void A_first_arrival_behind_a_later_one_is_out_of_order_but_in_a_share()
    {
        ChaosLedger ledger = new();
        foreach (int number in new[] { 1, 3, 2, 3 })
        {
            ledger.Deliver("reader", ChaosLedger.Payload("s", number), QoS.AtLeastOnce, isOrdered: true);
            ledger.Deliver("share", ChaosLedger.Payload("s", number), QoS.AtLeastOnce, isOrdered: false);
        }

        Assert.Equal(1, ledger.OrderViolations);
    }

    [Fact]
    public void A_will_is_wrong_while_its_device_lives_and_when_it_comes_twice_and_missing_when_it_does_not_come()
    {
        ChaosLedger ledger = new();
        foreach (string device in new[] { "early", "twice", "never", "left" })
        {
            ledger.SetWill(device, WillState.Set);
        }

        ledger.WillCame("early");
        Assert.Equal(1, ledger.WillsWrong);
        ledger.SetWill("twice", WillState.Due);
        ledger.WillCame("twice");
        Assert.Equal(1, ledger.WillsWrong);
        ledger.WillCame("twice");
        Assert.Equal(2, ledger.WillsWrong);
        ledger.SetWill("left", WillState.Over);
        ledger.WillCame("left");
        Assert.Equal(3, ledger.WillsWrong);
        ledger.SetWill("never", WillState.Due);
        Assert.Equal(["never"], ledger.WillsMissing());
    }

    [Fact]
    public void A_will_that_a_fault_excuses_need_not_come_and_must_not_come_twice()
    {
        ChaosLedger ledger = new();
        ledger.SetWill("excused", WillState.Set);
        ledger.SetWill("excused", WillState.Optional);
        Assert.Empty(ledger.WillsMissing());
        ledger.WillCame("excused");
        Assert.Equal(0, ledger.WillsWrong);
        ledger.WillCame("excused");
        Assert.Equal(1, ledger.WillsWrong);

        // Nor twice when its device was cut in earnest after it had come.
        ledger.SetWill("cut", WillState.Optional);
        ledger.WillCame("cut");
        ledger.SetWill("cut", WillState.Due);
        Assert.Empty(ledger.WillsMissing());
        ledger.WillCame("cut");
        Assert.Equal(2, ledger.WillsWrong);
    }
}
