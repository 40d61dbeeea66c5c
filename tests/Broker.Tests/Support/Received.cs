using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Support;

/// <summary>A PUBLISH as a client got it.</summary>
internal sealed record Received(string Topic, string Payload, QoS QoS, bool Retain, bool Duplicate, ushort PacketId)
{
    public uint[] Identifiers { get; private init; } = [];

    /// <summary>The value of our user property; null for none.</summary>
    public string? Tl { get; private init; }

    public uint? Expiry { get; private init; }

    public string? Correlation { get; private init; }

    public byte[] Bytes { get; private init; } = [];

    /// <summary>One field of our user property, without its letter; null when it is not there.</summary>
    public string? Field(char letter) =>
        Tl?.Split(';').FirstOrDefault(field => field.Length > 0 && field[0] == letter)?[1..];

    public static Received From(in PublishPacket packet)
    {
        var identifiers = new List<uint>();
        foreach (uint identifier in packet.Properties.SubscriptionIdentifiers)
        {
            identifiers.Add(identifier);
        }

        identifiers.Sort();
        return new Received(
            Encoding.UTF8.GetString(packet.Topic),
            Encoding.UTF8.GetString(packet.Payload),
            packet.QoS,
            packet.Retain,
            packet.Duplicate,
            packet.PacketId)
        {
            Identifiers = [.. identifiers],
            Tl = packet.Properties.UserProperties.TryFind("tl"u8, out ReadOnlySpan<byte> tl) ? Encoding.UTF8.GetString(tl) : null,
            Expiry = packet.Properties.MessageExpiryInterval,
            Correlation = packet.Properties.HasCorrelationData ? Encoding.UTF8.GetString(packet.Properties.CorrelationData) : null,
            Bytes = packet.Payload.ToArray(),
        };
    }

    /// <summary>The packets a page holds, one behind the other.</summary>
    public List<Received> Page()
    {
        var packets = new List<Received>();
        ReadOnlySpan<byte> rest = Bytes;
        while (!rest.IsEmpty)
        {
            Assert.Equal(FrameStatus.Complete, FrameReader.TryRead(rest, 0, out Frame frame, out _));
            Assert.True(PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out PublishPacket packet, out _));
            packets.Add(From(packet));
            rest = rest[frame.TotalLength..];
        }

        return packets;
    }
}
