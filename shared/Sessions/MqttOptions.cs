using Trunkline.Protocol;
using Trunkline.Topics;

namespace Trunkline.Sessions;

/// <summary>What this server offers and where its limits lie; every limit has a policy, named here, and a counter.</summary>
public sealed record MqttOptions
{
    /// <summary>Largest packet accepted, in bytes with its header; larger: DISCONNECT 0x95, or closed at 3.x.</summary>
    public int MaximumPacketSize { get; init; } = 1024 * 1024;

    /// <summary>
    /// Packets of one connection taken in one turn of its loop; what came beyond them waits for the next turn, when the
    /// other connections have had theirs.
    /// </summary>
    public int MaximumPacketsPerTurn { get; init; } = 1000;

    /// <summary>QoS 1 and 2 publishes of one connection not yet acknowledged. 5.0: 0x93 beyond it; 3.x: reading pauses.</summary>
    public int ReceiveMaximum { get; init; } = 256;

    /// <summary>
    /// QoS 2 messages of one session between PUBLISH and PUBREL, over all its connections; no less than
    /// <see cref="ReceiveMaximum"/>. Beyond it 5.0: 0x97; 3.x: closed.
    /// </summary>
    public int MaximumIncomingExchanges { get; init; } = 4_096;

    /// <summary>Topic aliases a 5.0 client may set up per connection; beyond it: DISCONNECT 0x94.</summary>
    public int TopicAliasMaximum { get; init; } = 16;

    /// <summary>Topic aliases we use towards one client, if it allows as many; 0 turns them off.</summary>
    public int OutboundTopicAliasMaximum { get; init; } = 16;

    /// <summary>Highest QoS served. 5.0: announced, beyond it 0x9B; 3.x: closed.</summary>
    public QoS MaximumQoS { get; init; } = QoS.ExactlyOnce;

    /// <summary>Whether retained messages are served. 5.0: announced, otherwise 0x9A; 3.x: closed.</summary>
    public bool RetainAvailable { get; init; } = true;

    /// <summary>Longest keep alive in seconds; 5.0 clients are told (Server Keep Alive), 3.x clients cannot be told and keep what they asked for.</summary>
    public int KeepAliveCapSeconds { get; init; } = 3600;

    /// <summary>Longest session expiry in seconds; 5.0 clients are told. The default never expires what a client wants kept.</summary>
    public uint SessionExpiryCapSeconds { get; init; } = uint.MaxValue;

    /// <summary>QoS 1 and 2 messages in flight towards one client, below its own Receive Maximum; the rest waits.</summary>
    public int MaximumInFlight { get; init; } = 256;

    /// <summary>Subscriptions of one session; beyond it SUBACK 0x97.</summary>
    public int MaximumSubscriptions { get; init; } = 10_000;

    /// <summary>SUBSCRIBE and UNSUBSCRIBE packets of one session waiting their turn; beyond it reading pauses.</summary>
    public int MaximumWaitingOperations { get; init; } = 64;

    /// <summary>Longest client identifier in bytes; beyond it CONNACK 0x85 (3.x: return code 2).</summary>
    public int MaximumClientIdBytes { get; init; } = 1024;

    /// <summary>
    /// Milliseconds from CONNECT until the client identifier is claimed in the directory, the wait for an earlier CONNECT of
    /// the same identifier and for the grace of a directory that recovers included, so it is longer than that grace; beyond it
    /// CONNACK 0x88 (3.x: return code 3).
    /// </summary>
    public int ClaimDeadlineMs { get; init; } = 15_000;

    /// <summary>Sessions held by each loop of this node, connected or not; beyond it CONNACK 0x97 (3.x: return code 3).</summary>
    public int MaximumSessions { get; init; } = 1_000_000;

    /// <summary>QoS 1 and 2 messages waiting for one session in a group's log, or in memory where no log has them; beyond it the policy decides.</summary>
    public int BacklogMessages { get; init; } = 10_000;

    /// <summary>Their bytes of topic, properties and payload; beyond it the policy decides.</summary>
    public int BacklogBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Seconds after which a QoS 1 or 2 message that waits in a group's log is passed over, whatever the policy; time in which a broker of ours did not run is left out. 0 for none but the log's own.</summary>
    public int BacklogAgeSeconds { get; init; }

    /// <summary>
    /// What goes when a backlog is above its limits. Looked at when a session begins to read from the log and again after
    /// each half of a limit. In memory the oldest is dropped, or with <see cref="BacklogPolicy.DropNewest"/> the newest.
    /// </summary>
    public BacklogPolicy BacklogPolicy { get; init; }

    /// <summary>
    /// Messages waiting for one connected device that reads too slowly. QoS 0: beyond it the oldest is dropped. QoS 1 and 2:
    /// beyond it they are let go and read from the group's log when the device has room.
    /// </summary>
    public int LiveQueueMessages { get; init; } = 1_000;

    /// <summary>Bytes waiting for one connected device, QoS 0 and the rest apart; beyond it as above.</summary>
    public int LiveQueueBytes { get; init; } = 1024 * 1024;

    /// <summary>
    /// QoS 2 messages to one client that stand in its stored record: in flight, or done and not passed by a written
    /// checkpoint yet; beyond it new messages wait. What a session brought along from another node is not counted.
    /// </summary>
    public int MaximumRecordedOutgoing { get; init; } = 4_096;

    /// <summary>QoS 1 and 2 messages of one shared subscription and group with one connected member, not acknowledged; beyond it other members get them, or they wait in the group's log.</summary>
    public int SharedInFlight { get; init; } = 64;

    /// <summary>How members of shared subscriptions are chosen: <c>round-robin</c>, <c>random</c>, <c>least-in-flight</c>, <c>sticky</c>, <c>hash-client</c> (of the publisher) or <c>hash-topic</c>. The last three wait for their member when it is full. The same on every node.</summary>
    public SharedStrategy SharedStrategy { get; init; }

    /// <summary>Exceptions by share name: <c>name=strategy</c>, separated by commas; a name may end with *. The first that fits counts.</summary>
    public string SharedStrategies { get; init; } = "";

    /// <summary>Given to 5.0 clients that ask for response information [MQTT-3.1.2-28]; empty gives none.</summary>
    public string ResponseInformation { get; init; } = "";

    /// <summary>Levels a topic name or filter may have; beyond it 0x90 or SUBACK 0x8F.</summary>
    public int MaximumTopicLevels { get; init; } = 128;

    /// <summary>Levels of a filter that may be the wildcard +, which bounds the work of a match; beyond it SUBACK 0x8F.</summary>
    public int MaximumSingleLevelWildcards { get; init; } = 8;

    /// <summary>The topic limits of these options.</summary>
    public TopicLimits TopicLimits =>
        field is { } made && made.MaximumLevels == MaximumTopicLevels && made.MaximumSingleLevelWildcards == MaximumSingleLevelWildcards
            ? made
            : field = new TopicLimits { MaximumLevels = MaximumTopicLevels, MaximumSingleLevelWildcards = MaximumSingleLevelWildcards };

    /// <summary>Every error in these options: path, what is wrong and how to mend it.</summary>
    public IEnumerable<string> Validate(string path)
    {
        (string Name, long Value, long Minimum, long Maximum)[] ranges =
        [
            (nameof(MaximumPacketSize), MaximumPacketSize, 1024, 268_435_460),
            (nameof(MaximumPacketsPerTurn), MaximumPacketsPerTurn, 1, 1_000_000),
            (nameof(ReceiveMaximum), ReceiveMaximum, 1, 65_535),
            (nameof(MaximumIncomingExchanges), MaximumIncomingExchanges, ReceiveMaximum, 65_535),
            (nameof(TopicAliasMaximum), TopicAliasMaximum, 0, 65_535),
            (nameof(OutboundTopicAliasMaximum), OutboundTopicAliasMaximum, 0, 1024),
            (nameof(MaximumQoS), (int)MaximumQoS, 0, 2),
            (nameof(KeepAliveCapSeconds), KeepAliveCapSeconds, 1, 65_535),
            (nameof(MaximumInFlight), MaximumInFlight, 1, 16_384),
            (nameof(MaximumSubscriptions), MaximumSubscriptions, 1, 10_000_000),
            (nameof(MaximumWaitingOperations), MaximumWaitingOperations, 1, 65_535),
            (nameof(MaximumClientIdBytes), MaximumClientIdBytes, 23, 65_535),
            (nameof(ClaimDeadlineMs), ClaimDeadlineMs, 100, 600_000),
            (nameof(MaximumSessions), MaximumSessions, 1, 100_000_000),
            (nameof(BacklogMessages), BacklogMessages, 1, 10_000_000),
            (nameof(BacklogBytes), BacklogBytes, 1024, int.MaxValue),
            (nameof(BacklogAgeSeconds), BacklogAgeSeconds, 0, 315_360_000),
            (nameof(LiveQueueMessages), LiveQueueMessages, 1, 1_000_000),
            (nameof(LiveQueueBytes), LiveQueueBytes, 1024, int.MaxValue),
            (nameof(MaximumRecordedOutgoing), MaximumRecordedOutgoing, 16, 16_384),
            (nameof(SharedInFlight), SharedInFlight, 1, 16_384),
            (nameof(MaximumTopicLevels), MaximumTopicLevels, 1, 65_535),
            (nameof(MaximumSingleLevelWildcards), MaximumSingleLevelWildcards, 0, 65_535),
        ];
        foreach (var (name, value, minimum, maximum) in ranges)
        {
            if (value < minimum || value > maximum)
            {
                yield return $"{path}:{name} is {value}; set it between {minimum} and {maximum}.";
            }
        }

        if (Sessions.SharedStrategies.TryParse(SharedStrategies, SharedStrategy) is null)
        {
            yield return $"{path}:{nameof(SharedStrategies)} is '{SharedStrategies}'; write name=strategy, separated by commas, with round-robin, random, least-in-flight, sticky, hash-client or hash-topic.";
        }
    }
}
