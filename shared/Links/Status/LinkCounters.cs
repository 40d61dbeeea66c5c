namespace Trunkline.Links;

/// <summary>
/// Plain counters of one loop's links, written by that loop only and read from any thread: a read may be a turn old.
/// </summary>
public sealed class LinkCounters
{
    private readonly long[] _values = new long[Enum.GetValues<LinkCounter>().Length];

    /// <summary>The value now. Any thread.</summary>
    public long Read(LinkCounter counter) => Volatile.Read(ref _values[(int)counter]);

    internal void Add(LinkCounter counter) => _values[(int)counter]++;

    internal void Add(LinkCounter counter, long amount) => _values[(int)counter] += amount;
}

/// <summary>What <see cref="LinkCounters"/> count.</summary>
public enum LinkCounter
{
    /// <summary>QoS 0 messages written to publish links.</summary>
    PublishedQoS0,

    /// <summary>QoS 1 and 2 messages taken by publish links.</summary>
    PublishedQoS1,

    /// <summary>QoS 1 and 2 messages whose group acknowledged them.</summary>
    Acknowledged,

    /// <summary>QoS 1 and 2 messages written again after a lost link.</summary>
    SentAgain,

    /// <summary>QoS 0 messages dropped because their group was away.</summary>
    DroppedAway,

    /// <summary>QoS 0 messages dropped because their group takes them too slowly.</summary>
    DroppedCongested,

    /// <summary>Messages refused because the limits of a publish link were reached.</summary>
    RefusedFull,

    /// <summary>Messages refused because their group was away too long.</summary>
    RefusedAway,

    /// <summary>Messages larger than their group takes.</summary>
    RefusedTooLarge,

    /// <summary>Messages whose lifetime ended before they were written to a link.</summary>
    ExpiredWaiting,

    /// <summary>Publishes and subscriptions to $SYS and $trunkline that were refused.</summary>
    RefusedReserved,

    /// <summary>Publishers paused because a link was full.</summary>
    PublishersPaused,

    /// <summary>Messages after which a publisher was not paused though its link was full, for as many as may be were.</summary>
    PublishersNotPaused,

    /// <summary>Connections of links opened.</summary>
    LinksOpened,

    /// <summary>Connections of links lost.</summary>
    LinksLost,

    /// <summary>Attempts to connect that failed.</summary>
    ConnectsFailed,

    /// <summary>Messages received on receive links.</summary>
    Received,

    /// <summary>Messages handed to another loop.</summary>
    HandedOver,

    /// <summary>Messages that came for an identifier nobody holds any more.</summary>
    WithoutReceiver,

    /// <summary>QoS 1 and 2 messages that shares handed to this node.</summary>
    SharedReceived,

    /// <summary>Messages of shares given to another member of this node, because theirs was gone.</summary>
    SharedPassedOn,

    /// <summary>Times a receive link stopped reading because another loop lagged.</summary>
    HandOverPaused,

    /// <summary>SUBSCRIBE packets sent upstream.</summary>
    UpstreamSubscribes,

    /// <summary>UNSUBSCRIBE packets sent upstream.</summary>
    UpstreamUnsubscribes,

    /// <summary>Upstream subscriptions that a broker refused.</summary>
    UpstreamRefused,

    /// <summary>Gauge: filters held upstream by this loop's receive links.</summary>
    UpstreamFilters,

    /// <summary>Device subscriptions that failed because a group was away.</summary>
    SubscribesFailed,

    /// <summary>Retained messages delivered to new subscribers.</summary>
    RetainedDelivered,

    /// <summary>Retained messages left out because a newer value was received live.</summary>
    RetainedOutdated,

    /// <summary>Pages of retained messages asked for again, because what they left to the log was skipped there.</summary>
    RetainedAskedAgain,

    /// <summary>Live messages whose topic was not remembered while retained ones were still to come, at a limit.</summary>
    RetainedUnguarded,

    /// <summary>Times a replay connection was not read because sessions had not taken what it brought.</summary>
    ReplaysPaused,

    /// <summary>Replays given up, and connections closed, because the device took nothing and others waited.</summary>
    ReplaysGivenUp,

    /// <summary>Pages of a group's log asked for, for sessions that were away or too slow.</summary>
    BacklogScans,

    /// <summary>Messages on those pages; one that several sessions share counts once.</summary>
    BacklogRead,

    /// <summary>Counts asked for of backlogs that may be near a limit.</summary>
    BacklogCounts,

    /// <summary>Sessions that may miss messages because retention overtook their place in the log.</summary>
    BacklogLost,

    /// <summary>Pages of a group's log that a broker could not serve; asked again.</summary>
    BacklogFailed,

    /// <summary>Requests for messages in flight of sessions that came back.</summary>
    MessageFetches,

    /// <summary>Resumes after which a broker said that messages may be missing.</summary>
    ResumesWithLoss,

    /// <summary>QoS 1 and 2 messages appended to the logs of foreign groups.</summary>
    LogAppended,

    /// <summary>Appends to the logs of foreign groups that failed and were tried again.</summary>
    LogAppendsFailed,

    /// <summary>Messages read from the ends of the logs of foreign groups.</summary>
    LogRead,

    /// <summary>Entries of the logs of foreign groups that could not be read and were passed over.</summary>
    LogDamaged,

    /// <summary>Times a foreign group's log had given up messages before this node read them.</summary>
    LogLost,
}
