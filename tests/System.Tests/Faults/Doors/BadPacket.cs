using System.Text;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>One way to be wrong and what a 5.0 client hears of it; a 3.1.1 client's connection is closed without a word.</summary>
/// <param name="Name">What is wrong.</param>
/// <param name="Code">Reason code of DISCONNECT.</param>
/// <param name="Bytes">The packet in 5.0.</param>
/// <param name="Bytes311">The packet in 3.1.1; null where it cannot be said there.</param>
public sealed record BadPacket(string Name, ReasonCode Code, byte[] Bytes, byte[]? Bytes311)
{
    public static IReadOnlyList<BadPacket> All { get; } =
    [
        // The fixed header.
        new("packet type 0", ReasonCode.MalformedPacket, [0x00, 0x00], [0x00, 0x00]),
        new("remaining length of five bytes", ReasonCode.MalformedPacket, [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
        new("256 MB announced", ReasonCode.PacketTooLarge, [0x30, 0xFF, 0xFF, 0xFF, 0x7F], [0x30, 0xFF, 0xFF, 0xFF, 0x7F]),
        new("SUBSCRIBE with flags 0", ReasonCode.MalformedPacket, [0x80, 0x07, 0, 1, 0, 0, 1, (byte)'a', 0], [0x80, 0x06, 0, 1, 0, 1, (byte)'a', 0]),
        new("UNSUBSCRIBE with flags 0", ReasonCode.MalformedPacket, [0xA0, 0x06, 0, 1, 0, 0, 1, (byte)'a'], [0xA0, 0x05, 0, 1, 0, 1, (byte)'a']),
        new("PUBREL with flags 0", ReasonCode.MalformedPacket, [0x60, 0x02, 0, 1], [0x60, 0x02, 0, 1]),
        new("PINGREQ with flags", ReasonCode.MalformedPacket, [0xC1, 0x00], [0xC1, 0x00]),
        new("PINGREQ with a body", ReasonCode.MalformedPacket, [0xC0, 0x01, 0], [0xC0, 0x01, 0]),
        new("DISCONNECT with flags", ReasonCode.MalformedPacket, [0xE1, 0x00], [0xE1, 0x00]),

        // PUBLISH.
        new("PUBLISH at QoS 3", ReasonCode.MalformedPacket, Publish(6, "t", id: 1), Publish311(6, "t", id: 1)),
        new("DUP at QoS 0", ReasonCode.MalformedPacket, Publish(8, "t"), Publish311(8, "t")),
        new("packet identifier 0", ReasonCode.ProtocolError, Publish(2, "t", id: 0), Publish311(2, "t", id: 0)),
        new("PUBLISH cut short", ReasonCode.MalformedPacket, [0x32, 0x03, 0, 9, (byte)'t'], [0x32, 0x03, 0, 9, (byte)'t']),
        new("topic with #", ReasonCode.MalformedPacket, Publish(0, "a/#"), Publish311(0, "a/#")),
        new("topic with +", ReasonCode.MalformedPacket, Publish(0, "+/a"), Publish311(0, "+/a")),
        new("empty topic", ReasonCode.ProtocolError, Publish(0, ""), Publish311(0, "")),
        new("topic with U+0000", ReasonCode.MalformedPacket, Publish(0, "a\0b"), Publish311(0, "a\0b")),
        new("topic that is not UTF-8", ReasonCode.MalformedPacket, [0x30, 0x05, 0, 2, 0xC3, 0x28, 0], [0x30, 0x04, 0, 2, 0xC3, 0x28]),
        new("topic with a surrogate", ReasonCode.MalformedPacket, [0x30, 0x06, 0, 3, 0xED, 0xA0, 0x80, 0], [0x30, 0x05, 0, 3, 0xED, 0xA0, 0x80]),
        new("topic of 65,535 slashes", ReasonCode.TopicNameInvalid, Publish(0, new string('/', 65_535)), Publish311(0, new string('/', 65_535))),
        new("topic alias 0", ReasonCode.TopicAliasInvalid, Publish(0, "t", [0x23, 0, 0]), null),
        new("topic alias above the maximum", ReasonCode.TopicAliasInvalid, Publish(0, "t", [0x23, 0xFF, 0xFF]), null),
        new("topic alias never set", ReasonCode.ProtocolError, Publish(0, "", [0x23, 0, 1]), null),
        new("subscription identifier from a client", ReasonCode.ProtocolError, Publish(0, "t", [0x0B, 1]), null),
        new("property twice", ReasonCode.ProtocolError, Publish(0, "t", [0x02, 0, 0, 0, 1, 0x02, 0, 0, 0, 1]), null),
        new("property of another packet", ReasonCode.MalformedPacket, Publish(0, "t", [0x11, 0, 0, 0, 1]), null),
        new("property past the end", ReasonCode.MalformedPacket, [0x30, 0x04, 0, 1, (byte)'t', 0x7F], null),
        new("payload format 2", ReasonCode.ProtocolError, Publish(0, "t", [0x01, 2]), null),
        new("response topic with a wildcard", ReasonCode.ProtocolError, Publish(0, "t", [0x08, 0, 1, (byte)'#']), null),

        // SUBSCRIBE and UNSUBSCRIBE.
        new("SUBSCRIBE without a filter", ReasonCode.ProtocolError, [0x82, 0x03, 0, 1, 0], [0x82, 0x02, 0, 1]),
        new("SUBSCRIBE with reserved options", ReasonCode.MalformedPacket, Subscribe("a", 0xC0), Subscribe311("a", 0xC0)),
        new("SUBSCRIBE at QoS 3", ReasonCode.ProtocolError, Subscribe("a", 3), Subscribe311("a", 3)),
        new("retain handling 3", ReasonCode.ProtocolError, Subscribe("a", 0x30), null),
        new("No Local on a shared subscription", ReasonCode.ProtocolError, Subscribe("$share/s/a", 4), null),
        new("filter with # inside", ReasonCode.MalformedPacket, Subscribe("a/#/b", 0), Subscribe311("a/#/b", 0)),
        new("share without a name", ReasonCode.MalformedPacket, Subscribe("$share//a", 0), null),
        new("UNSUBSCRIBE without a filter", ReasonCode.ProtocolError, [0xA2, 0x03, 0, 1, 0], [0xA2, 0x02, 0, 1]),

        // What a client may not send, or not now.
        new("a second CONNECT", ReasonCode.ProtocolError, Packets.Connect(new DeviceOptions { ClientId = "second" }), Packets.Connect(new DeviceOptions { ClientId = "second", Version = ProtocolVersion.Mqtt311 })),
        new("CONNACK from a client", ReasonCode.ProtocolError, [0x20, 0x03, 0, 0, 0], [0x20, 0x02, 0, 0]),
        new("SUBACK from a client", ReasonCode.ProtocolError, [0x90, 0x04, 0, 1, 0, 0], [0x90, 0x03, 0, 1, 0]),
        new("PINGRESP from a client", ReasonCode.ProtocolError, [0xD0, 0x00], [0xD0, 0x00]),
        new("AUTH without a method", ReasonCode.ProtocolError, [0xF0, 0x00], [0xF0, 0x00]),
        new("session expiry out of nothing", ReasonCode.ProtocolError, [0xE0, 0x07, 0, 5, 0x11, 0, 0, 0, 9], null),
    ];

    public override string ToString() => Name;

    /// <summary>A CONNECT of 5.0 whose will has this topic.</summary>
    public static byte[] ConnectWithWill(string topic) =>
        Frame(0x10, [.. Text("MQTT"), 5, 0x06, 0, 60, 0, .. Text("will"), 0, .. Text(topic), .. Text("x")]);

    private static byte[] Publish(int flags, string topic, byte[]? properties = null, int id = -1) =>
        Frame(0x30 | flags, [.. Text(topic), .. Id(id), (byte)(properties?.Length ?? 0), .. properties ?? [], (byte)'x']);

    private static byte[] Publish311(int flags, string topic, int id = -1) =>
        Frame(0x30 | flags, [.. Text(topic), .. Id(id), (byte)'x']);

    private static byte[] Subscribe(string filter, byte options) => Frame(0x82, [0, 1, 0, .. Text(filter), options]);

    private static byte[] Subscribe311(string filter, byte options) => Frame(0x82, [0, 1, .. Text(filter), options]);

    private static byte[] Id(int id) => id < 0 ? [] : [(byte)(id >> 8), (byte)id];

    private static byte[] Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return [(byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];
    }

    private static byte[] Frame(int first, byte[] body)
    {
        List<byte> frame = [(byte)first];
        int length = body.Length;
        do
        {
            frame.Add((byte)((length & 0x7F) | (length > 0x7F ? 0x80 : 0)));
            length >>= 7;
        }
        while (length > 0);
        return [.. frame, .. body];
    }
}
