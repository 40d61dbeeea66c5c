using Trunkline.Protocol;

namespace Trunkline.Interleavings;

/// <summary>Histories that the model found broken, as short as it could make them, each with what was wrong in the product.</summary>
public sealed class FoundTests
{
    /// <summary>A node declared dead had a write refused at once, and repeated it in every turn of its loop: it never came to rest.</summary>
    [Fact]
    public void A_write_that_is_refused_at_once_is_not_repeated_in_every_turn() => Holds(
        Settings.Plain(2, 1, [QoS.ExactlyOnce], 1),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Connect, 1, 1),
        new(StepKind.Run),
        new(StepKind.Freeze, 1),
        new(StepKind.Pass, 3_000),
        new(StepKind.Publish, 1, 0, 2));

    /// <summary>
    /// A QoS 1 message was in flight at a detach; the next claim of the session was taken up by the node's own next attempt,
    /// as if after a death, and the message was taken for acknowledged.
    /// </summary>
    [Fact]
    public void A_QoS_1_message_in_flight_survives_a_detach_and_a_superseded_attempt() => Holds(
        Settings.Plain(2, 1, [QoS.AtLeastOnce], 1),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Run),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Turn, 3),
        new(StepKind.Connect, 0, 0),
        new(StepKind.Turn, 3),
        new(StepKind.Publish, 1, 1, 1),
        new(StepKind.Connect, 0, 0));

    /// <summary>
    /// A filter that another session had just subscribed here counted as live from what the link had dispatched, which lay
    /// before the position of its SUBACK: what lay between never came, and the session that joined the filter went live
    /// without having read it.
    /// </summary>
    [Fact]
    public void A_session_that_joins_a_filter_is_live_from_where_the_filter_is() => Holds(
        Settings.Plain(2, 2, [QoS.ExactlyOnce, QoS.AtLeastOnce], 1),
        new(StepKind.Connect, 0, 0),
        new(StepKind.Run),
        new(StepKind.Publish, 2, 1, 2),
        new(StepKind.Drop, 0),
        new(StepKind.Pass, 400),
        new(StepKind.Connect, 2, 0),
        new(StepKind.Turn, 4),
        new(StepKind.Connect, 1, 0),
        new(StepKind.Run));

    /// <summary>
    /// Two CONNECTs of one device at one node: the first got the claim and was superseded, so no session stood for it when
    /// the checkpoint was taken, which covered it all the same; the second read that checkpoint.
    /// </summary>
    [Fact]
    public void No_checkpoint_covers_a_claim_that_a_waiting_attempt_is_to_replace() => Holds(
        Settings.Plain(2, 1, [QoS.AtLeastOnce, QoS.ExactlyOnce], 1),
        new(StepKind.Connect, 0, 0),
        new(StepKind.Connect, 2, 1),
        new(StepKind.Run),
        new(StepKind.Publish, 2, 1, 2),
        new(StepKind.Drop, 0),
        new(StepKind.Pass, 3_000),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Turn, 3),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Turn, 3),
        new(StepKind.Turn, 1),
        new(StepKind.Serve, 1, 4),
        new(StepKind.Time, 300));

    /// <summary>
    /// A session was asked for while a write of it was under way, and that write found another token: the session was let go,
    /// but its detach waited for ever, and with it every later CONNECT of the device at that node.
    /// </summary>
    [Fact]
    public void A_detach_whose_session_was_fenced_meanwhile_is_over() => Holds(
        Settings.Plain(2, 2, [QoS.ExactlyOnce], 1, wills: 1),
        new(StepKind.Connect, 1, 1),
        new(StepKind.Run),
        new(StepKind.Freeze, 1, 1),
        new(StepKind.Publish, 1, 1, 2),
        new(StepKind.Connect, 1, 0),
        new(StepKind.Pass, 400),
        new(StepKind.Kill, 0),
        new(StepKind.Run),
        new(StepKind.Publish, 1, 1, 1),
        new(StepKind.Receive, 1));

    /// <summary>
    /// A session came with a QoS 2 exchange that was received and whose position lay before messages still to be read. It
    /// read past it, went live with some of those waiting, and left live again from before the first that waited: what had
    /// been in flight was read once more, and nobody knew any longer that it was.
    /// </summary>
    [Fact]
    public void What_was_in_flight_stays_masked_while_messages_before_it_wait() => Holds(
        Settings.WithoutLimits(20976, Faults.All),
        new(StepKind.Connect, 0, 2),
        new(StepKind.Connect, 1, 2),
        new(StepKind.Connect, 2, 1),
        new(StepKind.Publish, 2, 0, 1),
        new(StepKind.Publish, 1, 0, 1),
        new(StepKind.Publish, 2, 0, 1),
        new(StepKind.Publish, 1, 0, 1),
        new(StepKind.Publish, 1, 0, 2),
        new(StepKind.Publish, 2, 0, 1),
        new(StepKind.Run),
        new(StepKind.Publish, 1, 0, 2),
        new(StepKind.Publish, 1, 0, 2),
        new(StepKind.Kill, 2, 1));

    /// <summary>
    /// A claim whose answer was lost was looked for twice and not found, so the checkpoint covered it; then it took effect,
    /// and another node believed that checkpoint.
    /// </summary>
    [Fact]
    public void A_claim_that_nobody_waits_for_never_takes_effect_once_it_was_looked_for() => Holds(
        Settings.WithoutLimits(40765, Faults.All),
        new(StepKind.Connect, 1, 0),
        new(StepKind.Connect, 3, 1),
        new(StepKind.Run),
        new(StepKind.Leave, 1),
        new(StepKind.Run),
        new(StepKind.Connect, 1, 0),
        new(StepKind.Turn, 3),
        new(StepKind.Turn, 0),
        new(StepKind.Publish, 3, 0, 1),
        new(StepKind.Cut, 0, 1),
        new(StepKind.Pass, 3_000),
        new(StepKind.Late, 0));

    /// <summary>
    /// A session came with the checkpoint of a dead node to one that died, too: the common positions of that one lay before
    /// those of the first, and took their place.
    /// </summary>
    [Fact]
    public void A_checkpoint_takes_back_nothing_that_an_earlier_one_says() => Holds(
        Settings.WithoutLimits(1062, Faults.HeldSweeps),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Connect, 2, 0),
        new(StepKind.Connect, 1, 0),
        new(StepKind.AnswerAtOnce, 0, 0),
        new(StepKind.Pass, 100),
        new(StepKind.Publish, 2, 0, 2),
        new(StepKind.Pass, 100),
        new(StepKind.Publish, 2, 1, 2),
        new(StepKind.Run),
        new(StepKind.Freeze, 0),
        new(StepKind.Pass, 3_000),
        new(StepKind.Pass, 100),
        new(StepKind.Connect, 1, 1),
        new(StepKind.Pass, 100),
        new(StepKind.Kill, 1));

    /// <summary>
    /// A device came again to the node that has its session, and the answer to that claim was lost. The session went on, but
    /// the checkpoint said that nothing was known to be done of it, which took back what one before had said.
    /// </summary>
    [Fact]
    public void A_lost_claim_of_a_session_that_stands_takes_nothing_back() => Holds(
        Settings.WithoutLimits(100722, Faults.LateCalls),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Connect, 1, 0),
        new(StepKind.Pass, 100),
        new(StepKind.Connect, 1, 1),
        new(StepKind.Pass, 100),
        new(StepKind.Drop, 1),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Turn, 4),
        new(StepKind.Turn, 1),
        new(StepKind.Cut, 1, 0),
        new(StepKind.Pass, 400),
        new(StepKind.Kill, 1));

    /// <summary>
    /// A device connected twice in a row at the node that has its session. The first of the two got the claim and nobody was
    /// served under it; the directory was gone, and the session's own will went out under that claim beside the one that the
    /// directory owed under the claim before.
    /// </summary>
    [Fact]
    public void A_will_goes_out_under_the_claim_that_it_was_given_with() => Holds(
        Settings.WithoutLimits(208681, Faults.LateCalls),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Connect, 1, 0),
        new(StepKind.Run),
        new(StepKind.Connect, 1, 0),
        new(StepKind.Turn, 3),
        new(StepKind.Connect, 1, 0),
        new(StepKind.Turn, 3),
        new(StepKind.Turn, 0),
        new(StepKind.Serve, 0, 1),
        new(StepKind.Turn, 0),
        new(StepKind.Cut, 0, 1));

    /// <summary>
    /// A session came with a QoS 1 message in flight below its position, and a QoS 2 message done between the two, which the
    /// record named no longer. The next CONNECT at that node wrote a position below it, and the node died.
    /// </summary>
    [Fact]
    public void A_claim_of_a_session_that_stands_writes_no_position_below_the_one_it_came_with() => Holds(
        Settings.WithoutLimits(118569, Faults.LateCalls),
        new(StepKind.Connect, 1, 2),
        new(StepKind.Connect, 2, 2),
        new(StepKind.Run),
        new(StepKind.Connect, 1, 1),
        new(StepKind.Publish, 2, 1, 1),
        new(StepKind.Run),
        new(StepKind.Publish, 2, 1, 1),
        new(StepKind.Publish, 2, 1, 2),
        new(StepKind.Run),
        new(StepKind.Kill, 1, 1),
        new(StepKind.Connect, 1, 2),
        new(StepKind.Run),
        new(StepKind.Connect, 1, 0),
        new(StepKind.Pass, 3_000),
        new(StepKind.Connect, 1, 2),
        new(StepKind.Run),
        new(StepKind.Kill, 2));

    /// <summary>
    /// The judge was wrong: a CONNECT that the device had given up lay at a node that was held, and was taken after the one
    /// that was accepted elsewhere. Nobody but the device knows which was sent first.
    /// </summary>
    [Fact]
    public void A_connect_given_up_may_take_the_session_over_later() => Holds(
        Settings.WithoutLimits(241574, Faults.All),
        new(StepKind.Connect),
        new(StepKind.Freeze, 0, 1),
        new(StepKind.Connect, 1),
        new(StepKind.Pass, 1_000),
        new(StepKind.Connect, 1, 1),
        new(StepKind.Run),
        new(StepKind.Freeze, 1),
        new(StepKind.Thaw),
        new(StepKind.Pass, 1_000));

    /// <summary>
    /// A QoS 2 publish waited for its entry to be written when the device left, and the detach that was to write it was not
    /// taken, for the directory had been emptied. The device came again, and nobody wrote the entry: the publish was never
    /// forwarded.
    /// </summary>
    [Fact]
    public void What_a_detach_was_to_write_is_written_when_the_device_comes_again() => Holds(
        Settings.WithoutLimits(75, Faults.EmptiedDirectory),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Connect, 1, 0),
        new(StepKind.Connect, 2, 1),
        new(StepKind.Connect, 3, 0),
        new(StepKind.Run),
        new(StepKind.EmptyDirectory),
        new(StepKind.Publish, 2, 0, 2),
        new(StepKind.Leave, 2),
        new(StepKind.Connect, 2, 1));

    /// <summary>
    /// A device answered PUBREC and came again on a new connection before "received" was stored: it was sent PUBREL at once.
    /// The node died, the record said "sent", and the message came again under an identifier that the device had freed.
    /// </summary>
    [Fact]
    public void PUBREL_waits_on_the_next_connection_until_received_is_stored() => Holds(
        Settings.Of(1043757, Faults.Returns),
        new(StepKind.Connect),
        new(StepKind.Connect, 2, 1),
        new(StepKind.Run),
        new(StepKind.Publish, 2, 0, 2),
        new(StepKind.Connect, 1, 1),
        new(StepKind.Leave),
        new(StepKind.Run),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Turn, 4),
        new(StepKind.Turn, 1),
        new(StepKind.Serve, 1, 4),
        new(StepKind.Turn, 1),
        new(StepKind.Turn, 3),
        new(StepKind.Turn, 1),
        new(StepKind.Serve, 1, 3),
        new(StepKind.Turn, 1),
        new(StepKind.Turn, 1),
        new(StepKind.Turn, 4),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Turn, 4),
        new(StepKind.Turn, 1),
        new(StepKind.Serve, 1, 3),
        new(StepKind.Turn, 1),
        new(StepKind.Turn, 4),
        new(StepKind.Kill, 1, 1));

    /// <summary>
    /// A session was resumed elsewhere with retained messages that were not done. Meanwhile a newer one had been published: it
    /// came as the retained one, and again from the log.
    /// </summary>
    [Fact]
    public void A_resume_amid_retained_messages_leaves_to_the_log_what_the_log_has() => Holds(
        Settings.Of(67, Faults.Retained),
        new(StepKind.Connect, 2, 2),
        new(StepKind.Run),
        new(StepKind.Publish, 2, 0, 1),
        new(StepKind.Connect, 0, 2),
        new(StepKind.AnswerAtOnce),
        new(StepKind.Run),
        new(StepKind.Publish, 2, 0, 2),
        new(StepKind.Turn, 4),
        new(StepKind.Turn, 2),
        new(StepKind.Turn, 3),
        new(StepKind.Kill, 2, 1));

    /// <summary>
    /// A checkpoint whose answer was lost took effect behind the next one, and took back what that had said; the session's record
    /// no longer named a QoS 2 message that was done by it, so the message came again after the node's death.
    /// </summary>
    [Fact]
    public void A_checkpoint_that_comes_late_takes_nothing_back() => Holds(
        Settings.Of(37183, Faults.RetainedSkips),
        new(StepKind.Connect, 2),
        new(StepKind.Run),
        new(StepKind.Connect, 1),
        new(StepKind.Time, 300),
        new(StepKind.Turn),
        new(StepKind.Turn, 4),
        new(StepKind.Turn),
        new(StepKind.Serve, 0, 4),
        new(StepKind.Turn),
        new(StepKind.Publish, 2, 3, 2),
        new(StepKind.Cut, 0, 1),
        new(StepKind.Pass, 100),
        new(StepKind.Pass, 100),
        new(StepKind.Publish, 2, 5, 2),
        new(StepKind.Run),
        new(StepKind.Late),
        new(StepKind.Kill, 0, 1));

    /// <summary>
    /// A CONNECT had waited for the session in a new generation, and had found it; the directory was emptied again before it
    /// claimed, and it claimed at once, as a new session, what the holder had not written back yet.
    /// </summary>
    [Fact]
    public void What_was_found_in_one_generation_is_waited_for_in_the_next() => Holds(
        Settings.Of(5006865, Faults.EmptiedDirectory),
        new(StepKind.Connect),
        new(StepKind.Connect, 1),
        new(StepKind.Run),
        new(StepKind.EmptyDirectory, 1),
        new(StepKind.Pass, 100),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Turn, 3),
        new(StepKind.Turn, 1),
        new(StepKind.Connect),
        new(StepKind.Turn, 3),
        new(StepKind.Turn),
        new(StepKind.Serve, 0, 4),
        new(StepKind.Turn),
        new(StepKind.Publish, 1, 1, 2),
        new(StepKind.Turn, 3),
        new(StepKind.Apply, 1),
        new(StepKind.EmptyDirectory));

    /// <summary>
    /// Two sessions had filled their records, each with what was done in another group; the common positions of the checkpoint
    /// stayed at both, and so did they.
    /// </summary>
    [Fact]
    public void Two_full_records_do_not_hold_each_other_up() => Holds(
        Settings.Of(5001365, Faults.IdsComeRound),
        new(StepKind.Connect, 2, 2),
        new(StepKind.Run),
        new(StepKind.Publish, 2, 0, 2),
        new(StepKind.Turn, 5),
        new(StepKind.Turn, 2),
        new(StepKind.Publish, 2, 0, 2),
        new(StepKind.Turn, 5),
        new(StepKind.Drop, 2),
        new(StepKind.Publish, 2, 1, 2),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Pass, 400),
        new(StepKind.Publish, 2, 1, 2),
        new(StepKind.Publish, 2, 1, 2),
        new(StepKind.Publish, 2, 1, 2),
        new(StepKind.Publish, 2, 0, 2),
        new(StepKind.Kill, 1),
        new(StepKind.Connect, 1),
        new(StepKind.Pass, 400),
        new(StepKind.Publish, 2, 1, 2),
        new(StepKind.Publish, 2, 1, 2),
        new(StepKind.Publish, 2, 0, 2));

    internal static void Holds(Settings settings, params Step[] steps)
    {
        List<string> story = [];
        var history = History.Replay(settings, null, steps, story);
        Assert.False(history.IsBroken, $"{history}\n{string.Join('\n', story)}");
    }
}
