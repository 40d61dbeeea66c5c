namespace Trunkline.Interleavings;

/// <summary>
/// The rules that keep sessions right (DESIGN.md, "Who acknowledges what, when" and "Sessions without a fixed abode";
/// docs/adr/0007, 0009). The model can take out one at a time and must then find what the rule is for.
/// </summary>
internal enum Rule
{
    /// <summary>A claim is granted only when the holder is the one that was read.</summary>
    ClaimComparesHolder,

    /// <summary>The epoch of a claim lies above the stored one, also when the directory's clock went back.</summary>
    EpochAboveStored,

    /// <summary>The epoch of a claim is at least the directory's time, also when the directory lost the stored one.</summary>
    EpochAboveTime,

    /// <summary>A write changes something only under the whole token that is stored.</summary>
    WriteComparesToken,

    /// <summary>A write that was given up and comes late changes nothing.</summary>
    LateWriteChangesNothing,

    /// <summary>A checkpoint does not pass what is undone: laggards stand in it with their own positions.</summary>
    CheckpointStaysBeforeUndone,

    /// <summary>A checkpoint covers no attachment that was not a session yet when the loops gave their parts.</summary>
    CheckpointLeavesOutPending,

    /// <summary>A session that attached after the checkpoint starts from its record.</summary>
    CheckpointCoversByAttachNumber,

    /// <summary>A done entry goes only after a written checkpoint has passed it.</summary>
    DoneEntryWaitsForCheckpoint,

    /// <summary>A packet identifier is given again only when the record has let go of the message that had it.</summary>
    IdsWaitForRecord,

    /// <summary>Who takes over from a holder that gave no answer starts at that holder's checkpoint.</summary>
    CheckpointServesUnanswered,

    /// <summary>Of a dead node the sweep writes the checkpoint into its sessions.</summary>
    CheckpointServesTheDead,

    /// <summary>The checkpoint of a node declared dead is frozen.</summary>
    DeadCheckpointIsFrozen,

    /// <summary>A claim by the session's own node writes the positions, too.</summary>
    OwnClaimWritesPositions,

    /// <summary>QoS 2 out: the exit record is written before PUBLISH.</summary>
    ExitIsWrittenAhead,

    /// <summary>QoS 2 out: "received" is written before PUBREL.</summary>
    ReceivedIsWrittenAhead,

    /// <summary>What is in flight when a connection ends stands in the record: the positions written with it pass over it.</summary>
    InFlightIsListed,

    /// <summary>QoS 2 in: the entry is written before the message is forwarded.</summary>
    EntryIsWrittenAhead,

    /// <summary>SUBACK waits until the filter is written.</summary>
    FilterIsWrittenAhead,

    /// <summary>The filter is written with its start position in each group.</summary>
    FilterHasStarts,

    /// <summary>A reading of the log passes over what lies below a filter's start.</summary>
    ReadsSkipBelowStart,

    /// <summary>
    /// What of a SUBSCRIBE's retained messages is still to come is written with the filter: a claim elsewhere, or a resume, asks
    /// for them again.
    /// </summary>
    RetainedPendingIsWritten,

    /// <summary>A page of retained messages is asked for again when the session skips what the page had left to the log.</summary>
    SkippedIsAskedForAgain,

    /// <summary>What was skipped while retained messages are pending stands in the record, for a resume cannot tell it from what came.</summary>
    SkippedIsWritten,

    /// <summary>A session goes live only where its cursor has met what the loop dispatched.</summary>
    LiveAtTheMeeting,

    /// <summary>A receive link that was lost goes on at the position its node has.</summary>
    LinkResumesAtItsPosition,

    /// <summary>What comes under an identity of its own is appended only if absent.</summary>
    AppendIfAbsent,

    /// <summary>The broker drops a publish link's number that it has seen.</summary>
    NumbersOnce,

    /// <summary>A broker that starts begins a term above every one before.</summary>
    TermRises,

    /// <summary>PUBACK and PUBREC leave after the message is as durable as the group says.</summary>
    AcknowledgedIsKept,

    /// <summary>A lease is a counter that others see stand still, not a time that runs out.</summary>
    LeaseIsACounter,

    /// <summary>A counter stands still only as seen over one unbroken connection to the directory.</summary>
    LeaseOverOneConnection,

    /// <summary>A node that finds itself declared dead closes its devices and never contests.</summary>
    DeadNodeClosesDevices,

    /// <summary>A claim of unknown outcome is listed in the checkpoint as one of which nothing is done.</summary>
    GhostsAreListed,

    /// <summary>A claim that was declared void changes nothing, however late it comes.</summary>
    LateClaimChangesNothing,

    /// <summary>Nodes write back to an emptied directory what they hold, with all of its state.</summary>
    HeldIsWrittenBack,

    /// <summary>Of two nodes that write back one session the one with the newest connect has it.</summary>
    NewestConnectHolds,

    /// <summary>In a new generation a CONNECT waits until nodes had time to write back.</summary>
    ClaimsWaitForRecovery,

    /// <summary>The will of a device that is sent away waits for it to come back.</summary>
    SentAwayWillWaits,

    /// <summary>Whoever was sent away and is back is alive: its claim drops the will, Clean Start too.</summary>
    BackDropsTheWill,

    /// <summary>A QoS 2 message of a share is the session's only when its group says so, before PUBLISH.</summary>
    ShareIsTaken,

    /// <summary>The group says so when the record of it is as durable as a message.</summary>
    ShareTakeIsKept,

    /// <summary>A QoS 2 message of a share is done when "received" is written, not when it is taken.</summary>
    ShareIsDoneWhenReceived,

    /// <summary>A member that leaves gives back what it has not acknowledged.</summary>
    ShareGivesBack,

    /// <summary>What a node had that is away for long, or what nobody claims after a restart of the broker, goes to others.</summary>
    ShareOfTheDeadGoesOn,

    /// <summary>The log has the share's position and what is handed out.</summary>
    ShareIsRecorded,

    /// <summary>Where sessions that are away hold the share, its position waits without a member.</summary>
    ShareWaitsForMembers,
}
