using static Trunkline.Interleavings.FoundTests;

namespace Trunkline.Interleavings;

/// <summary>The same of retained messages whose place in a queue something else took.</summary>
public sealed class FoundRetainedTests
{
    /// <summary>
    /// A message of the log waited behind retained ones in a session's queue, its cursor had passed it, and more retained ones
    /// took its room: it was let go and nobody asked for it again.
    /// </summary>
    [Fact]
    public void What_the_queue_lets_go_amid_retained_messages_is_asked_for_again() => Holds(
        Settings.Of(575, Faults.RetainedSkips),
        new(StepKind.Connect, 2),
        new(StepKind.Publish, 2, 0, 2),
        new(StepKind.Publish, 2, 1, 2),
        new(StepKind.Publish, 2, 2, 2),
        new(StepKind.Publish, 2, 3, 1),
        new(StepKind.Publish, 2, 4, 2),
        new(StepKind.Run),
        new(StepKind.Drop, 2),
        new(StepKind.Publish, 2, 2, 2),
        new(StepKind.Publish, 2, 0, 2),
        new(StepKind.Publish, 2, 5, 2));

    /// <summary>
    /// Backlogs were to be shorter than queues of live messages: those took the room of a retained message that waited before
    /// them, and nobody asked for it again. What a log has is let go of first.
    /// </summary>
    [Fact]
    public void Live_messages_that_a_log_has_take_no_room_from_retained_ones() => Holds(
        Settings.Of(4394, Faults.RetainedSkips),
        new(StepKind.Connect, 2, 1),
        new(StepKind.Publish, 2, 0, 2),
        new(StepKind.Publish, 2, 3, 2),
        new(StepKind.Publish, 2, 4, 1),
        new(StepKind.Publish, 2, 5, 2),
        new(StepKind.Run),
        new(StepKind.Publish, 2, 1, 2),
        new(StepKind.Drop, 2),
        new(StepKind.Publish, 2, 0, 2),
        new(StepKind.Publish, 2, 5, 2),
        new(StepKind.Publish, 2, 1, 1),
        new(StepKind.Publish, 2, 5, 2),
        new(StepKind.Publish, 2, 2, 2),
        new(StepKind.Connect, 0, 1),
        new(StepKind.Turn, 4),
        new(StepKind.Turn, 1),
        new(StepKind.Serve, 1, 1));
}
