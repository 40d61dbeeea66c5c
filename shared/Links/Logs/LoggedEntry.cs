using System.Buffers;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>
/// What a foreign group's log keeps of a message: a version, then the PUBLISH packet as it goes to the broker, with the
/// original QoS, RETAIN flag and origin in its user property, and the lifetime that was left when it was appended.
/// </summary>
/// <remarks>
/// <code>
///   [ 1 ][ PUBLISH, MQTT 5, QoS 1 ... ]
/// </code>
/// </remarks>
internal static class LoggedEntry
{
    private const byte Version = 1;

    public static byte[] Write(ReadOnlySpan<byte> frame)
    {
        byte[] data = GC.AllocateUninitializedArray<byte>(frame.Length + 1);
        data[0] = Version;
        frame.CopyTo(data.AsSpan(1));
        return data;
    }

    /// <summary>Reads an entry; false when it is of another version or damaged. The packet lives as long as the entry.</summary>
    public static bool TryRead(ReadOnlySpan<byte> data, out PublishPacket packet, out TrunklineFields fields)
    {
        packet = default;
        fields = default;
        if (data.IsEmpty || data[0] != Version
            || FrameReader.TryRead(data[1..], 0, ProtocolVersion.Mqtt50, out Frame frame, out _) != FrameStatus.Complete
            || frame.TotalLength != data.Length - 1
            || frame.Type != PacketType.Publish
            || !PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out packet, out _))
        {
            return false;
        }

        fields = ForwardableProperties.TryFindUserProperty(packet.Properties, ForwardableProperties.TrunklineKey, out ReadOnlySpan<byte> text)
            ? TrunklineFields.Parse(text)
            : default;
        return true;
    }

    /// <summary>
    /// Writes a message of the log as our broker's pages have it: with its position, and with the lifetime that is left of
    /// it after so many milliseconds in the log. One that has outlived itself is left out; one that is older than a backlog
    /// may be goes without what it says.
    /// </summary>
    public static void WriteTo(
        IBufferWriter<byte> page, in PublishPacket packet, in TrunklineFields entry, LogPosition position, long ageMs, long mostAgeMs)
    {
        bool isAged = ageMs > mostAgeMs;
        if (!TryAge(packet.Properties.MessageExpiryInterval, ageMs, out uint? left))
        {
            return;
        }

        Span<byte> buffer = stackalloc byte[FieldWriter.MaximumBytes];
        var fields = new FieldWriter(buffer);
        fields.Position(position);
        if (isAged)
        {
            fields.Aged();
        }

        if (entry.OriginalQoS == 2)
        {
            fields.OriginalQoS2();
        }

        if (entry.Retain)
        {
            fields.Retain();
        }

        if (entry.Origin != 0)
        {
            fields.Origin(entry.Origin);
        }

        int length = ForwardableProperties.Measure(packet.Properties, strip: true);
        byte[] properties = ArrayPool<byte>.Shared.Rent(length);
        ForwardableProperties.Copy(packet.Properties, properties, strip: true);
        new PublishEncoder
        {
            Version = ProtocolVersion.Mqtt50,
            Topic = packet.Topic,
            Payload = isAged ? default : packet.Payload,
            ForwardableProperties = isAged ? default : properties.AsSpan(0, length),
            QoS = QoS.AtLeastOnce,
            PacketId = 1,
            RemainingExpirySeconds = left,
            ExtraKey = ForwardableProperties.TrunklineKey,
            ExtraValue = fields.Text,
        }.Write(page);
        ArrayPool<byte>.Shared.Return(properties);
    }

    /// <summary>Takes the time a message was kept off its lifetime [MQTT-3.3.2-6]; false when it is over [MQTT-3.3.2-5].</summary>
    public static bool TryAge(uint? seconds, long ageMs, out uint? left)
    {
        left = seconds;
        if (seconds is not { } lifetime)
        {
            return true;
        }

        long passed = long.Max(0, ageMs) / 1000;
        left = passed < lifetime ? (uint)(lifetime - passed) : 0;
        return passed < lifetime;
    }
}
