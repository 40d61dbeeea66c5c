using System.Buffers;
using System.Globalization;

namespace Trunkline.Sessions;

/// <summary>
/// A session's state as named fields and back. Each field can be written alone, so that a change costs its own size.
/// </summary>
/// <remarks>
/// <code>
///   m                meta:  version | last packet id
///   p                positions:  version | count | (group + 1, term, offset)*
///   t:               end of the last connection, for people:  version | ms since 1970
///   g:               parts of logs skipped while retained messages are pending:  version | count | (group + 1, term, offset, term, offset)*
///   w                will:  version | QoS | retain | delay | has expiry, expiry | topic | properties | payload
///   f:&lt;filter&gt;       subscription:  version | options | identifier | retained pending | starts as in p
///   o:&lt;packet id&gt;    outgoing:  version | stage | QoS | retain | order | identifiers | group + 1, term, offset | has message, message
///                        | share (version 2 alone)
///   q:&lt;packet id&gt;    incoming QoS 2:  version | node | link | number | group + 1, term, offset | safe
/// </code>
/// Version is one byte; numbers are LEB128, texts and payloads follow their length. A field of a newer version is not
/// read (<see cref="SessionStateReading.Damage"/>), so two versions of the proxy can work on one directory.
/// </remarks>
public static partial class SessionStateCodec
{
    /// <summary>The version of fields that is written, and the newest that is read.</summary>
    public const byte Version = 1;

    /// <summary>The version of an outgoing message of a share: others stay at <see cref="Version"/>, so that older nodes read them.</summary>
    public const byte SharedVersion = 2;

    /// <summary>Name of the field with the meta data.</summary>
    public const string MetaName = "m";

    /// <summary>Name of the field with the positions.</summary>
    public const string PositionsName = "p";

    /// <summary>Name of the field with the will.</summary>
    public const string WillName = "w";

    /// <summary>Name of the field with the end of the last connection.</summary>
    public const string AwayName = "t:";

    /// <summary>Name of the field with the parts of logs that were skipped; older versions pass it over.</summary>
    public const string SkippedName = "g:";

    private const string SubscriptionPrefix = "f:";
    private const string OutgoingPrefix = "o:";
    private const string IncomingPrefix = "q:";

    /// <summary>Name of the field of a filter.</summary>
    public static string SubscriptionName(string filter) => SubscriptionPrefix + filter;

    /// <summary>Name of the field of an outgoing message.</summary>
    public static string OutgoingName(ushort packetId) => OutgoingPrefix + packetId.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether a field is one of an outgoing message, and of which packet identifier.</summary>
    internal static bool IsOutgoingName(string name, out ushort packetId)
    {
        packetId = 0;
        return name.StartsWith(OutgoingPrefix, StringComparison.Ordinal) && TryReadPacketId(name.AsSpan(OutgoingPrefix.Length), out packetId);
    }

    /// <summary>Name of the field of an incoming QoS 2 exchange.</summary>
    public static string IncomingName(ushort packetId) => IncomingPrefix + packetId.ToString(CultureInfo.InvariantCulture);

    /// <summary>Every field of a state.</summary>
    public static List<StoredField> Encode(SessionState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var fields = new List<StoredField>(3 + state.Subscriptions.Count + state.Outgoing.Count + state.Incoming.Count)
        {
            Meta(state.LastPacketId),
            Positions(state.Positions),
        };
        if (state.AwaySince is { } since)
        {
            StateWriter writer = Begin(out ArrayBufferWriter<byte> output);
            writer.Number((ulong)long.Max(0, since.ToUnixTimeMilliseconds()));
            fields.Add(new StoredField(AwayName, output.WrittenMemory));
        }

        if (state.Will is { } will)
        {
            fields.Add(Encode(will));
        }

        if (state.Skipped.Count > 0)
        {
            fields.Add(EncodeSkipped(state.Skipped));
        }

        fields.AddRange(state.Subscriptions.Select(Encode));
        fields.AddRange(state.Outgoing.Select(Encode));
        fields.AddRange(state.Incoming.Select(Encode));
        return fields;
    }

    /// <summary>The field <c>m</c>.</summary>
    public static StoredField Meta(ushort lastPacketId)
    {
        StateWriter writer = Begin(out ArrayBufferWriter<byte> output);
        writer.Number(lastPacketId);
        return new StoredField(MetaName, output.WrittenMemory);
    }

    /// <summary>The field <c>p</c>.</summary>
    public static StoredField Positions(IReadOnlyList<GroupPosition> positions)
    {
        ArgumentNullException.ThrowIfNull(positions);
        StateWriter writer = Begin(out ArrayBufferWriter<byte> output);
        writer.Positions(positions);
        return new StoredField(PositionsName, output.WrittenMemory);
    }

    /// <summary>The field <c>g:</c>.</summary>
    public static StoredField EncodeSkipped(IReadOnlyList<LogRange> skipped)
    {
        ArgumentNullException.ThrowIfNull(skipped);
        StateWriter writer = Begin(out ArrayBufferWriter<byte> output);
        writer.Number((ulong)skipped.Count);
        foreach (LogRange part in skipped)
        {
            writer.Place(part.Group, part.After);
            writer.Number(part.UpTo.Term);
            writer.Number(part.UpTo.Offset);
        }

        return new StoredField(SkippedName, output.WrittenMemory);
    }

    /// <summary>The field <c>w</c>.</summary>
    public static StoredField Encode(Will will)
    {
        ArgumentNullException.ThrowIfNull(will);
        StateWriter writer = Begin(out ArrayBufferWriter<byte> output);
        writer.Number((ulong)will.QoS);
        writer.Number(will.Retain ? 1UL : 0);
        writer.Number(will.DelaySeconds);
        WriteExpiry(writer, will.MessageExpirySeconds);
        writer.Bytes(will.Topic);
        writer.Bytes(will.Properties);
        writer.Bytes(will.Payload);
        return new StoredField(WillName, output.WrittenMemory);
    }

    /// <summary>The field of a filter.</summary>
    public static StoredField Encode(SubscriptionState subscription)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        StateWriter writer = Begin(out ArrayBufferWriter<byte> output);
        writer.Byte(subscription.Options.Value);
        writer.Number(subscription.Identifier);
        writer.Number(subscription.IsRetainedPending ? 1UL : 0);
        writer.Positions(subscription.Starts);
        return new StoredField(SubscriptionName(subscription.Filter.ToString()), output.WrittenMemory);
    }

    /// <summary>The field of an outgoing message.</summary>
    public static StoredField Encode(OutgoingState outgoing)
    {
        ArgumentNullException.ThrowIfNull(outgoing);
        bool isShared = !outgoing.Share.IsEmpty;
        StateWriter writer = Begin(out ArrayBufferWriter<byte> output, isShared ? SharedVersion : Version);
        writer.Number((ulong)outgoing.Stage);
        writer.Number((ulong)outgoing.QoS);
        writer.Number(outgoing.Retain ? 1UL : 0);
        writer.Number(outgoing.Order);
        writer.Number((ulong)outgoing.Identifiers.Count);
        foreach (uint identifier in outgoing.Identifiers)
        {
            writer.Number(identifier);
        }

        writer.Place(outgoing.Group, outgoing.Position);
        writer.Number(outgoing.Message is null ? 0UL : 1);
        if (outgoing.Message is { } message)
        {
            writer.Number((ulong)message.QoS);
            writer.Number(message.Retain ? 1UL : 0);
            WriteExpiry(writer, message.ExpirySeconds);
            writer.Bytes(message.Topic.Span);
            writer.Bytes(message.Properties.Span);
            writer.Bytes(message.Payload.Span);
        }

        if (isShared)
        {
            writer.Bytes(outgoing.Share.Text);
        }

        return new StoredField(OutgoingName(outgoing.PacketId), output.WrittenMemory);
    }

    /// <summary>The field of an incoming QoS 2 exchange.</summary>
    public static StoredField Encode(IncomingState incoming)
    {
        ArgumentNullException.ThrowIfNull(incoming);
        StateWriter writer = Begin(out ArrayBufferWriter<byte> output);
        Span<byte> node = stackalloc byte[MessageId.MaximumNodeLength];
        int length = System.Text.Encoding.ASCII.GetBytes(incoming.Id.Node ?? "", node);
        writer.Bytes(node[..length]);
        writer.Number(incoming.Id.Link);
        writer.Number(incoming.Id.Number);
        writer.Number(incoming.IsSafe ? 1UL : 0);
        return new StoredField(IncomingName(incoming.PacketId), output.WrittenMemory);
    }

    private static StateWriter Begin(out ArrayBufferWriter<byte> output, byte version = Version)
    {
        output = new ArrayBufferWriter<byte>(64);
        var writer = new StateWriter(output);
        writer.Byte(version);
        return writer;
    }

    private static void WriteExpiry(in StateWriter writer, uint? seconds)
    {
        writer.Number(seconds is null ? 0UL : 1);
        if (seconds is { } value)
        {
            writer.Number(value);
        }
    }
}
