using System.Globalization;
using System.Text;
using Trunkline.Protocol;
using Trunkline.Topics;

namespace Trunkline.Sessions;

/// <content>Reading. Damage is a value: no field, whatever its bytes, throws or keeps another from being read.</content>
public static partial class SessionStateCodec
{
    /// <summary>
    /// Limits of stored filters: MQTT's own, not this node's options. A filter was granted by the node that stored it, and
    /// dropping it for another node's limit would make the session lie.
    /// </summary>
    private static readonly TopicLimits StoredTopicLimits = new() { MaximumLevels = 65_535 };

    /// <summary>Reads a stored session. Fields in any order; what cannot be read is told, not thrown.</summary>
    public static SessionStateReading Decode(IEnumerable<StoredField> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var parts = new Parts();
        var damage = new List<FieldDamage>();
        bool isWhole = true;
        foreach (StoredField field in fields)
        {
            FieldDamageKind? problem = Read(field, parts);
            if (problem is { } kind)
            {
                damage.Add(new FieldDamage(field.Name, kind));
                isWhole &= !IsEssential(field.Name);
            }
        }

        parts.Outgoing.Sort(static (left, right) => left.Order.CompareTo(right.Order));
        return new SessionStateReading(
            new SessionState
            {
                LastPacketId = parts.LastPacketId,
                Positions = parts.Positions,
                Subscriptions = parts.Subscriptions,
                Outgoing = parts.Outgoing,
                Incoming = parts.Incoming,
                Skipped = parts.Skipped,
                Will = parts.Will,
                AwaySince = parts.AwaySince,
            },
            damage,
            isWhole);
    }

    /// <summary>Whether a newer version wrote a field: not to be read, and not to be thrown away.</summary>
    public static bool IsNewer(ReadOnlyMemory<byte> value) => !value.IsEmpty && value.Span[0] > Version;

    /// <summary>Reads the field <c>w</c>; null when it cannot be read.</summary>
    public static Will? DecodeWill(ReadOnlyMemory<byte> value)
    {
        var parts = new Parts();
        return Read(new StoredField(WillName, value), parts) is null ? parts.Will : null;
    }

    private static bool IsEssential(string name) =>
        name is MetaName or PositionsName || name.StartsWith(SubscriptionPrefix, StringComparison.Ordinal);

    private static FieldDamageKind? Read(in StoredField field, Parts parts)
    {
        ReadOnlySpan<byte> value = field.Value.Span;
        bool isOutgoing = field.Name.StartsWith(OutgoingPrefix, StringComparison.Ordinal);
        if (!value.IsEmpty && value[0] > (isOutgoing ? SharedVersion : Version))
        {
            return FieldDamageKind.Newer;
        }

        bool isSound = !value.IsEmpty && value[0] >= Version;
        var reader = new StateReader(isSound ? value[1..] : default);
        string name = field.Name;
        if (name == MetaName)
        {
            isSound &= ReadMeta(ref reader, parts);
        }
        else if (name == PositionsName)
        {
            isSound &= ReadPositions(ref reader, parts);
        }
        else if (name == SkippedName)
        {
            isSound &= ReadSkipped(ref reader, parts);
        }
        else if (name == WillName)
        {
            isSound &= ReadWill(ref reader, parts);
        }
        else if (name == AwayName)
        {
            isSound &= ReadAway(ref reader, parts);
        }
        else if (name.StartsWith(SubscriptionPrefix, StringComparison.Ordinal))
        {
            isSound &= ReadSubscription(name[SubscriptionPrefix.Length..], ref reader, parts);
        }
        else if (isOutgoing)
        {
            isSound &= TryReadPacketId(name.AsSpan(OutgoingPrefix.Length), out ushort id) && ReadOutgoing(id, isShared: isSound && value[0] == SharedVersion, ref reader, parts);
        }
        else if (name.StartsWith(IncomingPrefix, StringComparison.Ordinal))
        {
            isSound &= TryReadPacketId(name.AsSpan(IncomingPrefix.Length), out ushort id) && ReadIncoming(id, ref reader, parts);
        }
        else
        {
            return FieldDamageKind.Unknown;
        }

        return isSound ? null : FieldDamageKind.Damaged;
    }

    private static bool ReadMeta(ref StateReader reader, Parts parts)
    {
        ulong last = reader.Number(ushort.MaxValue);
        if (!reader.IsComplete)
        {
            return false;
        }

        parts.LastPacketId = (ushort)last;
        return true;
    }

    private static bool ReadAway(ref StateReader reader, Parts parts)
    {
        long since = (long)reader.Number((ulong)DateTimeOffset.MaxValue.ToUnixTimeMilliseconds());
        parts.AwaySince = DateTimeOffset.FromUnixTimeMilliseconds(since);
        return reader.IsComplete;
    }

    private static bool ReadPositions(ref StateReader reader, Parts parts)
    {
        IReadOnlyList<GroupPosition> positions = reader.Positions();
        if (!reader.IsComplete)
        {
            return false;
        }

        parts.Positions = positions;
        return true;
    }

    private static bool ReadSkipped(ref StateReader reader, Parts parts)
    {
        ulong count = reader.Number();
        var skipped = new List<LogRange>();
        bool isSound = true;
        for (ulong i = 0; i < count && reader.IsSound; i++)
        {
            GroupPosition after = reader.Place();
            var upTo = new LogPosition(reader.Number(), reader.Number());
            isSound &= after.Group >= 0 && upTo > after.Position;
            skipped.Add(new LogRange(after.Group, after.Position, upTo));
        }

        if (!isSound || !reader.IsComplete)
        {
            return false;
        }

        parts.Skipped = skipped;
        return true;
    }

    private static bool ReadWill(ref StateReader reader, Parts parts)
    {
        var qos = (QoS)reader.Number(2);
        bool retain = reader.Flag();
        uint delay = (uint)reader.Number(uint.MaxValue);
        uint? expiry = ReadExpiry(ref reader);
        ReadOnlySpan<byte> topic = reader.Bytes();
        ReadOnlySpan<byte> properties = reader.Bytes();
        ReadOnlySpan<byte> payload = reader.Bytes();
        if (!reader.IsComplete || !TopicName.IsValid(topic, StoredTopicLimits, out _))
        {
            return false;
        }

        parts.Will = new Will(topic, payload, properties)
        {
            QoS = qos,
            Retain = retain,
            DelaySeconds = delay,
            MessageExpirySeconds = expiry,
        };
        return true;
    }

    private static bool ReadSubscription(string filter, ref StateReader reader, Parts parts)
    {
        var options = new SubscriptionOptions(reader.Byte());
        uint identifier = (uint)reader.Number(VariableByteInteger.MaxValue);
        bool isPending = reader.Flag();
        IReadOnlyList<GroupPosition> starts = reader.Positions();
        if (!reader.IsComplete
            || options.Value >= 0x40 || (byte)options.QoS > 2 || (byte)options.RetainHandling > 2
            || !TopicFilterText.TryParse(Encoding.UTF8.GetBytes(filter), StoredTopicLimits, out TopicFilterText text, out _))
        {
            return false;
        }

        parts.Subscriptions.Add(new SubscriptionState
        {
            Filter = text,
            Options = options,
            Identifier = identifier,
            IsRetainedPending = isPending,
            Starts = starts,
        });
        return true;
    }

    private static bool ReadOutgoing(ushort packetId, bool isShared, ref StateReader reader, Parts parts)
    {
        var stage = (OutgoingStage)reader.Number(1);
        var qos = (QoS)reader.Number(2);
        bool retain = reader.Flag();
        ulong order = reader.Number();
        ulong count = reader.Number();
        var identifiers = new List<uint>();
        for (ulong i = 0; i < count && reader.IsSound; i++)
        {
            identifiers.Add((uint)reader.Number(VariableByteInteger.MaxValue));
        }

        GroupPosition place = reader.Place();
        StoredMessage? message = reader.Flag() ? ReadMessage(ref reader) : null;
        TopicFilterText share = default;
        bool isRight = !isShared || (TopicFilterText.TryParse(reader.Bytes(), StoredTopicLimits, out share, out _) && share.IsShared);
        bool isSound = isRight && reader.IsComplete && qos != QoS.AtMostOnce
            && (stage == OutgoingStage.Sent || qos == QoS.ExactlyOnce)
            && (stage == OutgoingStage.Received || message is not null || (place.Group >= 0 && !place.Position.IsNone));
        if (isSound)
        {
            parts.Outgoing.Add(new OutgoingState
            {
                PacketId = packetId,
                Order = order,
                QoS = qos,
                Stage = stage,
                Retain = retain,
                Identifiers = identifiers,
                Group = place.Group,
                Position = place.Position,
                Share = share,
                Message = message,
            });
        }

        return isSound;
    }

    private static StoredMessage? ReadMessage(ref StateReader reader)
    {
        var qos = (QoS)reader.Number(2);
        bool retain = reader.Flag();
        uint? expiry = ReadExpiry(ref reader);
        ReadOnlySpan<byte> topic = reader.Bytes();
        ReadOnlySpan<byte> properties = reader.Bytes();
        ReadOnlySpan<byte> payload = reader.Bytes();
        if (!reader.IsSound || !TopicName.IsValid(topic, StoredTopicLimits, out _))
        {
            return null;
        }

        return new StoredMessage
        {
            Topic = topic.ToArray(),
            Properties = properties.ToArray(),
            Payload = payload.ToArray(),
            QoS = qos,
            Retain = retain,
            ExpirySeconds = expiry,
        };
    }

    private static bool ReadIncoming(ushort packetId, ref StateReader reader, Parts parts)
    {
        ReadOnlySpan<byte> node = reader.Bytes();
        ulong link = reader.Number();
        ulong number = reader.Number();
        bool isSafe = reader.Flag();
        if (!reader.IsComplete || !MessageId.IsNode(node))
        {
            return false;
        }

        parts.Incoming.Add(new IncomingState
        {
            PacketId = packetId,
            Id = new MessageId(Encoding.ASCII.GetString(node), link, number),
            IsSafe = isSafe,
        });
        return true;
    }

    private static uint? ReadExpiry(ref StateReader reader) => reader.Flag() ? (uint)reader.Number(uint.MaxValue) : null;

    /// <summary>A packet identifier as it is written: no sign, no leading zero, never 0.</summary>
    private static bool TryReadPacketId(ReadOnlySpan<char> text, out ushort packetId) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out packetId) && packetId != 0 && text[0] != '0';

    private sealed class Parts
    {
        public ushort LastPacketId { get; set; }

        public IReadOnlyList<GroupPosition> Positions { get; set; } = [];

        public IReadOnlyList<LogRange> Skipped { get; set; } = [];

        public List<SubscriptionState> Subscriptions { get; } = [];

        public List<OutgoingState> Outgoing { get; } = [];

        public List<IncomingState> Incoming { get; } = [];

        public Will? Will { get; set; }

        public DateTimeOffset? AwaySince { get; set; }
    }
}
