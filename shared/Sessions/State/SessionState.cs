using Trunkline.Protocol;
using Trunkline.Topics;

namespace Trunkline.Sessions;

/// <summary>
/// A session without its node: what has to be known to go on with it anywhere. Immutable. Messages that wait are not in
/// it: they are in the log, behind <see cref="Positions"/>.
/// </summary>
public sealed record SessionState
{
    /// <summary>A session that holds nothing.</summary>
    public static SessionState Empty { get; } = new();

    /// <summary>The packet identifier given last; new ones go on from here.</summary>
    public ushort LastPacketId { get; init; }

    /// <summary>Per group the position up to which everything is done or stands in <see cref="Outgoing"/>; a group without one begins where its filters begin.</summary>
    public IReadOnlyList<GroupPosition> Positions { get; init; } = [];

    /// <summary>The filters held.</summary>
    public IReadOnlyList<SubscriptionState> Subscriptions { get; init; } = [];

    /// <summary>Messages in flight towards the device, in the order they were sent.</summary>
    public IReadOnlyList<OutgoingState> Outgoing { get; init; } = [];

    /// <summary>QoS 2 exchanges from the device between PUBLISH and PUBREL.</summary>
    public IReadOnlyList<IncomingState> Incoming { get; init; } = [];

    /// <summary>Parts of logs that the session skipped while retained messages were pending, in rising order for each group.</summary>
    public IReadOnlyList<LogRange> Skipped { get; init; } = [];

    /// <summary>The will, or null.</summary>
    public Will? Will { get; init; }

    /// <summary>When its last connection ended, by its node's clock, for people; null while it never had an orderly end.</summary>
    public DateTimeOffset? AwaySince { get; init; }

    /// <summary>The position of a group, or <see cref="LogPosition.None"/>.</summary>
    public LogPosition PositionOf(int group) => Of(Positions, group);

    internal static LogPosition Of(IReadOnlyList<GroupPosition> positions, int group)
    {
        for (int i = 0; i < positions.Count; i++)
        {
            if (positions[i].Group == group)
            {
                return positions[i].Position;
            }
        }

        return LogPosition.None;
    }
}

/// <summary>One filter of a stored session.</summary>
public sealed record SubscriptionState
{
    /// <summary>The filter as subscribed, with its share name when it is shared.</summary>
    public required TopicFilterText Filter { get; init; }

    /// <summary>QoS and the other options, as granted.</summary>
    public required SubscriptionOptions Options { get; init; }

    /// <summary>The subscription identifier, or 0.</summary>
    public uint Identifier { get; init; }

    /// <summary>Whether retained messages it asked for are not all done: a resume asks for them again.</summary>
    public bool IsRetainedPending { get; init; }

    /// <summary>Per group the position it was live from at first: messages at or below it are none of its business.</summary>
    public IReadOnlyList<GroupPosition> Starts { get; init; } = [];
}

/// <summary>How far an outgoing message is.</summary>
public enum OutgoingStage : byte
{
    /// <summary>PUBLISH was or is about to be sent.</summary>
    Sent,

    /// <summary>QoS 2: PUBREC came; PUBREL is owed until PUBCOMP. The device has the message: its position is done.</summary>
    Received,
}

/// <summary>One outgoing QoS 1 or 2 message of a stored session.</summary>
public sealed record OutgoingState
{
    /// <summary>Its packet identifier.</summary>
    public required ushort PacketId { get; init; }

    /// <summary>The order of sending; rises within the session.</summary>
    public required ulong Order { get; init; }

    /// <summary>1 or 2.</summary>
    public required QoS QoS { get; init; }

    /// <summary>How far it is.</summary>
    public OutgoingStage Stage { get; init; }

    /// <summary>The RETAIN flag it is sent with.</summary>
    public bool Retain { get; init; }

    /// <summary>The subscription identifiers it is sent with.</summary>
    public IReadOnlyList<uint> Identifiers { get; init; } = [];

    /// <summary>The group whose log has it; -1 when none has.</summary>
    public int Group { get; init; } = -1;

    /// <summary>Its place in that log.</summary>
    public LogPosition Position { get; init; }

    /// <summary>
    /// The shared subscription that handed it over; empty for any other. Its group knows whether the message is this
    /// session's, and it is no message of the session's own in that log.
    /// </summary>
    public TopicFilterText Share { get; init; }

    /// <summary>The message itself, where it cannot be read by its position; null else, and once it was received.</summary>
    public StoredMessage? Message { get; init; }
}

/// <summary>A message kept in a session's record.</summary>
public sealed record StoredMessage
{
    /// <summary>The topic name, UTF-8.</summary>
    public required ReadOnlyMemory<byte> Topic { get; init; }

    /// <summary>The forwardable properties, encoded.</summary>
    public ReadOnlyMemory<byte> Properties { get; init; }

    /// <summary>The application message.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>The QoS it was published with.</summary>
    public QoS QoS { get; init; }

    /// <summary>The RETAIN flag it was published with.</summary>
    public bool Retain { get; init; }

    /// <summary>Seconds it had to live when it was stored; null for no limit.</summary>
    public uint? ExpirySeconds { get; init; }
}

/// <summary>One incoming QoS 2 exchange of a stored session.</summary>
public sealed record IncomingState
{
    /// <summary>The device's packet identifier.</summary>
    public required ushort PacketId { get; init; }

    /// <summary>The identity under which the message is appended, however often it comes.</summary>
    public required MessageId Id { get; init; }

    /// <summary>Whether it is known to be in the log.</summary>
    public bool IsSafe { get; init; }
}
