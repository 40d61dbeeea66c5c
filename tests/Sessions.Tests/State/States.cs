using System.Text;
using Trunkline.Topics;

namespace Trunkline.Sessions.Tests.State;

/// <summary>Seeded states of sessions, and a text that two equal states share.</summary>
public static class States
{
    public static SessionState Random(Random random) => new()
    {
        LastPacketId = (ushort)random.Next(65_536),
        Positions = Positions(random),
        Subscriptions = [.. Enumerable.Range(0, random.Next(4)).Select(n => Subscription(random, n))],
        Outgoing = [.. Enumerable.Range(0, random.Next(4)).Select(n => Outgoing(random, n))],
        Incoming = [.. Enumerable.Range(0, random.Next(3)).Select(n => Incoming(random, n))],
        Will = random.Next(2) == 0 ? null : Will(random),
    };

    public static Will Will(Random random) => new(Utf8("will/é/" + random.Next()), Bytes(random, 40), Bytes(random, 20))
    {
        QoS = (QoS)random.Next(3),
        Retain = random.Next(2) == 1,
        DelaySeconds = (uint)random.NextInt64(0, 1L << 32),
        MessageExpirySeconds = random.Next(2) == 1 ? null : (uint)random.NextInt64(0, 1L << 32),
    };

    public static SubscriptionState Subscription(Random random, int n) => new()
    {
        Filter = Filter(random.Next(3) == 0 ? $"$share/s{n}/a/+/{n}" : $"räume/{n}/#"),
        Options = SubscriptionOptions.Create((QoS)random.Next(3), random.Next(2) == 1, random.Next(2) == 1, (RetainHandling)random.Next(3)),
        Identifier = (uint)random.Next(268_435_456),
        IsRetainedPending = random.Next(2) == 1,
        Starts = Positions(random),
    };

    public static OutgoingState Outgoing(Random random, int n)
    {
        bool isLogged = random.Next(2) == 1;
        QoS qos = (QoS)random.Next(1, 3);
        bool isReceived = qos == QoS.ExactlyOnce && random.Next(2) == 1;
        bool isShared = isLogged && random.Next(3) == 0;
        return new OutgoingState
        {
            PacketId = (ushort)(1 + (n * 20_000) + random.Next(20_000)),
            Order = (ulong)n,
            QoS = qos,
            Stage = isReceived ? OutgoingStage.Received : OutgoingStage.Sent,
            Retain = random.Next(2) == 1,
            Identifiers = [.. Enumerable.Range(0, random.Next(3)).Select(_ => (uint)random.Next(268_435_456))],
            Group = isLogged ? random.Next(300) : -1,
            Position = isLogged ? Position(random) : default,
            Share = isShared ? Filter($"$share/s{n}/b/{n}") : default,
            Message = isLogged || isReceived ? null : Message(random),
        };
    }

    public static IncomingState Incoming(Random random, int n) => new()
    {
        PacketId = (ushort)(1 + (n * 20_000) + random.Next(20_000)),
        Id = new MessageId($"{random.NextInt64():x16}", (ulong)random.NextInt64(), (ulong)random.NextInt64()),
        IsSafe = random.Next(2) == 1,
    };

    /// <summary>Everything of a state as text.</summary>
    public static string Text(SessionState state)
    {
        var text = new StringBuilder();
        text.Append(state.LastPacketId).Append(' ').AppendJoin(',', state.Positions).AppendLine();
        text.AppendLine(state.Will is { } will ? Text(will) : "no will");
        foreach (SubscriptionState held in state.Subscriptions.OrderBy(held => held.Filter.ToString(), StringComparer.Ordinal))
        {
            text.Append(held.Filter).Append(' ').Append(held.Options.Value).Append(' ').Append(held.Identifier).Append(' ')
                .Append(held.IsRetainedPending).Append(' ').AppendJoin(',', held.Starts).AppendLine();
        }

        foreach (OutgoingState held in state.Outgoing)
        {
            text.Append(held with { Identifiers = [], Message = null }).AppendJoin(',', held.Identifiers)
                .AppendLine(held.Message is { } message ? Text(message) : "");
        }

        foreach (IncomingState held in state.Incoming.OrderBy(held => held.PacketId))
        {
            text.AppendLine(held.ToString());
        }

        return text.ToString();
    }

    private static string Text(Will will) =>
        $"{Hex(will.Topic)} {Hex(will.Payload)} {Hex(will.Properties)} {will.QoS} {will.Retain} {will.DelaySeconds} {will.MessageExpirySeconds}";

    private static string Text(StoredMessage message) =>
        $"{Hex(message.Topic.Span)} {Hex(message.Payload.Span)} {Hex(message.Properties.Span)} {message.QoS} {message.Retain} {message.ExpirySeconds}";

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes);

    private static StoredMessage Message(Random random) => new()
    {
        Topic = Utf8("t/" + random.Next()),
        Properties = Bytes(random, 20),
        Payload = Bytes(random, 200),
        QoS = (QoS)random.Next(3),
        Retain = random.Next(2) == 1,
        ExpirySeconds = random.Next(2) == 1 ? null : (uint)random.NextInt64(0, 1L << 32),
    };

    private static IReadOnlyList<GroupPosition> Positions(Random random) =>
        [.. Enumerable.Range(0, random.Next(4)).Select(group => new GroupPosition(group, Position(random)))];

    // One bit more or less at random, so that numbers of every length come.
    private static LogPosition Position(Random random) =>
        new((ulong)random.NextInt64() >> random.Next(62) | 1, (ulong)random.NextInt64() >> random.Next(63));

    private static TopicFilterText Filter(string text) =>
        TopicFilterText.TryParse(Utf8(text), new TopicLimits(), out TopicFilterText filter, out _) ? filter : throw new ArgumentException(text);

    private static byte[] Bytes(Random random, int most)
    {
        var bytes = new byte[random.Next(most)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
