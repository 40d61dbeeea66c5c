namespace Trunkline.Sessions;

/// <summary>
/// Plain counters of one loop, written by that loop only and read by the metrics endpoint from another thread: a read
/// may be a turn old, never torn. Adding is one instruction, so that a message costs no instrument call.
/// </summary>
public sealed class SessionCounters
{
    private readonly long[] _values = new long[Enum.GetValues<SessionCounter>().Length];

    /// <summary>Adds one. Loop thread only.</summary>
    public void Add(SessionCounter counter) => _values[(int)counter]++;

    /// <summary>Adds <paramref name="amount"/>. Loop thread only.</summary>
    public void Add(SessionCounter counter, long amount) => _values[(int)counter] += amount;

    /// <summary>The value now. Any thread.</summary>
    public long Read(SessionCounter counter) => Volatile.Read(ref _values[(int)counter]);
}

/// <summary>What <see cref="SessionCounters"/> count; gauges are kept as running balances.</summary>
public enum SessionCounter
{
    /// <summary>CONNECT packets accepted.</summary>
    ConnectsAccepted,

    /// <summary>CONNECT packets refused.</summary>
    ConnectsRefused,

    /// <summary>Gauge: channels open now.</summary>
    ChannelsOpen,

    /// <summary>Gauge: sessions held now.</summary>
    Sessions,

    /// <summary>Gauge: subscriptions held now.</summary>
    Subscriptions,

    /// <summary>QoS 0 messages received from devices.</summary>
    ReceivedQoS0,

    /// <summary>QoS 1 messages received from devices.</summary>
    ReceivedQoS1,

    /// <summary>QoS 2 messages received from devices, repeats left out.</summary>
    ReceivedQoS2,

    /// <summary>QoS 0 messages sent to devices.</summary>
    SentQoS0,

    /// <summary>QoS 1 messages sent to devices, repeats included.</summary>
    SentQoS1,

    /// <summary>QoS 2 messages sent to devices, repeats included.</summary>
    SentQoS2,

    /// <summary>Messages sent again after a reconnect.</summary>
    Resent,

    /// <summary>QoS 0 messages dropped because the device reads too slowly.</summary>
    DroppedSlowDevice,

    /// <summary>QoS 1 and 2 messages dropped because the session's backlog is full.</summary>
    DroppedBacklog,

    /// <summary>QoS 1 and 2 messages passed over because they waited longer than a backlog may.</summary>
    DroppedBacklogAge,

    /// <summary>Messages dropped because their lifetime ended before delivery.</summary>
    DroppedExpired,

    /// <summary>Messages larger than the receiving client's maximum packet size.</summary>
    DroppedTooLarge,

    /// <summary>Messages of devices that were refused (not authorized, quota).</summary>
    PublishesRefused,

    /// <summary>Filters of devices' SUBSCRIBE packets that were refused.</summary>
    SubscriptionsRefused,

    /// <summary>Acknowledgements for packet identifiers that are not in use.</summary>
    UnknownPacketIds,

    /// <summary>Wills published.</summary>
    WillsPublished,

    /// <summary>Sessions whose expiry ended them.</summary>
    SessionsExpired,

    /// <summary>Sessions taken in from another node or connection, with their state.</summary>
    SessionsRestored,

    /// <summary>Messages in flight that could not be sent again after a move, because the log has not got them any more.</summary>
    DroppedFromLog,

    /// <summary>Times a session left a group's live messages because its device did not keep up, to read them from the log.</summary>
    LeftLive,

    /// <summary>QoS 1 and 2 messages delivered from a group's log to sessions that were away or too slow.</summary>
    BacklogDelivered,

    /// <summary>Times a channel had more packets than <see cref="MqttOptions.MaximumPacketsPerTurn"/> and left the rest to the next turn.</summary>
    TurnsYielded,

    /// <summary>Times a channel stopped reading because the way forward was full or a limit was reached.</summary>
    ReadingPaused,

    /// <summary>QoS 2 messages of shares dropped before they were sent, because another session had been given them, or this one before.</summary>
    SharedTakenByOthers,
}
