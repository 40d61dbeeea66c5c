namespace Trunkline.Broker;

/// <summary>
/// Plain counters of one group, written by its loop only and read by the metrics endpoint from another thread: a read
/// may be a turn old, never torn.
/// </summary>
public sealed class BrokerCounters
{
    private readonly long[] _values = new long[Enum.GetValues<BrokerCounter>().Length];

    /// <summary>Adds one. Loop thread only.</summary>
    public void Add(BrokerCounter counter) => _values[(int)counter]++;

    /// <summary>Adds <paramref name="amount"/>. Loop thread only.</summary>
    public void Add(BrokerCounter counter, long amount) => _values[(int)counter] += amount;

    /// <summary>Sets a gauge. Loop thread only.</summary>
    public void Set(BrokerCounter counter, long value) => _values[(int)counter] = value;

    /// <summary>The value now. Any thread.</summary>
    public long Read(BrokerCounter counter) => Volatile.Read(ref _values[(int)counter]);
}

/// <summary>What <see cref="BrokerCounters"/> count; gauges say so.</summary>
public enum BrokerCounter
{
    /// <summary>QoS 0 messages routed.</summary>
    RoutedQoS0,

    /// <summary>QoS 1 and 2 messages appended to the log.</summary>
    Appended,

    /// <summary>Messages of publish links dropped because their number was appended already.</summary>
    Duplicates,

    /// <summary>Messages dropped because another way brought them under the same id before.</summary>
    DuplicateIds,

    /// <summary>Gauge: messages the log dropped at its limits, oldest first.</summary>
    LogDropped,

    /// <summary>Gauge: of those, messages of tenants that had more than their share while others had not.</summary>
    LogDroppedOverShare,

    /// <summary>Segments of the log written anew without messages of who had more than its share.</summary>
    LogThinned,

    /// <summary>Tries to write a segment anew that failed; each segment is tried again, after LogRetryMs at first and a minute at last.</summary>
    LogThinningFailures,

    /// <summary>Gauge: tenants with something in the log.</summary>
    LogTenants,

    /// <summary>Gauge: messages accounted together with others' because there were too many tenants.</summary>
    LogTenantsTogether,

    /// <summary>QoS 1 and 2 publishes whose acknowledgement comes later, because their tenant has more than its share and its history is shorter than the floor.</summary>
    PublishesSlowed,

    /// <summary>Gauge: messages in the log.</summary>
    LogMessages,

    /// <summary>Gauge: bytes in the log.</summary>
    LogBytes,

    /// <summary>Gauge: bytes in memory of the index over the topics of the log.</summary>
    LogIndexBytes,

    /// <summary>Gauge: bytes appended to the log that are not as durable as the group promises yet.</summary>
    LogUncommittedBytes,

    /// <summary>Gauge: 1 while the log cannot be written (disk full, I/O error), else 0.</summary>
    LogFailing,

    /// <summary>Writes of the log that failed; each is tried again.</summary>
    LogWriteFailures,

    /// <summary>Writes of the log that took longer than LogSlowWriteMs.</summary>
    LogSlowWrites,

    /// <summary>Syncs of the log's file beside its writes, with <c>Commit: os</c>.</summary>
    LogSyncs,

    /// <summary>Such syncs that failed: what the file has gained since the last good one may not survive a power cut. Alert on any.</summary>
    LogSyncFailures,

    /// <summary>Bytes at the log's end that had not reached the disk when a run before was cut short, cut off at the start of this one.</summary>
    LogBytesCut,

    /// <summary>Reads of the log that the disk failed; each is tried again, within LogReadWaitMs before anything is passed over.</summary>
    LogReadFailures,

    /// <summary>Pieces of the log that could not be read back from disk within LogReadWaitMs and are passed over until they can.</summary>
    LogUnreadableBlocks,

    /// <summary>Places of the log found damaged when they were read back.</summary>
    LogDamagedPlaces,

    /// <summary>Messages of the log that are passed over because they are damaged, or could not be read back: alert on any.</summary>
    LogMessagesLost,

    /// <summary>Publishers told to pause because too much waits for the log.</summary>
    LogPauses,

    /// <summary>Gauge: ids of messages that came by another way than their own link, forgotten at a limit.</summary>
    MessageIdsForgotten,

    /// <summary>Gauge: publish links whose numbers were forgotten at a limit.</summary>
    ProducersForgotten,

    /// <summary>Messages sent to receive links from the log or on their way into it.</summary>
    LinkSentLogged,

    /// <summary>QoS 0 messages sent to receive links.</summary>
    LinkSentQoS0,

    /// <summary>QoS 0 messages dropped because the receive link was congested.</summary>
    LinkDroppedCongested,

    /// <summary>Messages larger than a receive link takes.</summary>
    LinkDroppedTooLarge,

    /// <summary>Messages whose lifetime ended before a receive link got them.</summary>
    LinkDroppedExpired,

    /// <summary>Times a receive link's cursor stopped because the link was congested.</summary>
    LinkStops,

    /// <summary>Times a receive link resumed.</summary>
    LinkResumes,

    /// <summary>Resumes and reads that may have missed messages, because retention or a restart took them.</summary>
    LinkLosses,

    /// <summary>Gauge: publish links connected.</summary>
    PublishLinks,

    /// <summary>Gauge: receive links connected.</summary>
    ReceiveLinks,

    /// <summary>Messages of the log matched to receive links whose cursor came later (not on the fast path).</summary>
    LogReads,

    /// <summary>Gauge: retained messages.</summary>
    Retained,

    /// <summary>Gauge: bytes of retained messages.</summary>
    RetainedBytes,

    /// <summary>Retained messages refused at a limit.</summary>
    RetainedRefused,

    /// <summary>Retained messages whose lifetime ended.</summary>
    RetainedExpired,

    /// <summary>Requests on $trunkline topics answered.</summary>
    Requests,

    /// <summary>Requests on $trunkline topics answered with an error.</summary>
    RequestsFailed,

    /// <summary>Requests for the log answered empty, for as many as Broker:RequestsWaitingMaximum waited for the disk.</summary>
    RequestsNotWaited,

    /// <summary>Publishes to topics that are the broker's own.</summary>
    PublishesNotAuthorized,

    /// <summary>Ordinary clients refused because the process's memory is down to Memory:ReservePercent.</summary>
    RefusedByMemory,

    /// <summary>Gauge: shared subscriptions.</summary>
    Shares,

    /// <summary>Gauge: messages of shares handed out, or given back, and not done.</summary>
    ShareOutstanding,

    /// <summary>Gauge: QoS 2 messages of shares that belong to a session and are not done.</summary>
    ShareTakes,

    /// <summary>QoS 0 messages for a share that no member could take.</summary>
    ShareUndelivered,

    /// <summary>Logged messages handed to members of shares, those handed out again counted again.</summary>
    ShareHandedOut,

    /// <summary>Messages of shares reported done.</summary>
    ShareDone,

    /// <summary>Messages of shares given back by a node or session whose member is gone.</summary>
    ShareReturned,

    /// <summary>Messages of shares to be handed out again because their node is gone, or did not get them.</summary>
    ShareHandedOver,

    /// <summary>QoS 2 messages of shares that became a session's for good.</summary>
    ShareTaken,

    /// <summary>Asks for a QoS 2 message of a share that was done, or another session's.</summary>
    ShareTakesRefused,

    /// <summary>Times a share began to wait because nobody had room, or a limit was reached.</summary>
    ShareWaits,

    /// <summary>Times a share missed messages because retention had taken them.</summary>
    ShareLosses,

    /// <summary>Records of shares appended to the log.</summary>
    ShareRecords,

    /// <summary>Shared subscriptions that ended: their last member left, or none came in time.</summary>
    SharesEnded,

    /// <summary>Shared subscriptions refused at a limit.</summary>
    SharesRefused,
}
