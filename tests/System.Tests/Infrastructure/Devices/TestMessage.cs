using System.Text;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>One message as a test sends or gets it.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Payload">The payload.</param>
/// <param name="QoS">Its quality of service.</param>
/// <param name="Retain">The RETAIN flag.</param>
public sealed record TestMessage(string Topic, byte[] Payload, QoS QoS = QoS.AtMostOnce, bool Retain = false)
{
    public TestMessage(string topic, string payload, QoS qos = QoS.AtMostOnce, bool retain = false)
        : this(topic, Encoding.UTF8.GetBytes(payload), qos, retain)
    {
    }

    public string Text => Encoding.UTF8.GetString(Payload);

    public bool Duplicate { get; init; }

    public ushort PacketId { get; init; }

    public uint? ExpirySeconds { get; init; }

    public byte? PayloadFormat { get; init; }

    public string? ContentType { get; init; }

    public string? ResponseTopic { get; init; }

    public byte[]? CorrelationData { get; init; }

    public IReadOnlyList<(string Key, string Value)> UserProperties { get; init; } = [];

    public IReadOnlyList<uint> SubscriptionIdentifiers { get; init; } = [];

    public override string ToString() =>
        $"{Topic} {(int)QoS} {(Retain ? 1 : 0)} {(Payload.Length > 100 ? $"({Payload.Length} bytes)" : Text)}";

    internal static TestMessage From(in PublishPacket packet, string topic)
    {
        PublishProperties properties = packet.Properties;
        List<(string Key, string Value)> users = [];
        foreach (UserProperty property in properties.UserProperties)
        {
            users.Add((Encoding.UTF8.GetString(property.Key), Encoding.UTF8.GetString(property.Value)));
        }

        List<uint> identifiers = [];
        foreach (uint identifier in properties.SubscriptionIdentifiers)
        {
            identifiers.Add(identifier);
        }

        return new TestMessage(topic, packet.Payload.ToArray(), packet.QoS, packet.Retain)
        {
            Duplicate = packet.Duplicate,
            PacketId = packet.PacketId,
            ExpirySeconds = properties.MessageExpiryInterval,
            PayloadFormat = properties.PayloadFormatIndicator,
            ContentType = properties.HasContentType ? Encoding.UTF8.GetString(properties.ContentType) : null,
            ResponseTopic = properties.HasResponseTopic ? Encoding.UTF8.GetString(properties.ResponseTopic) : null,
            CorrelationData = properties.HasCorrelationData ? properties.CorrelationData.ToArray() : null,
            UserProperties = users,
            SubscriptionIdentifiers = identifiers,
        };
    }

    /// <summary>The properties that travel with the message, encoded.</summary>
    internal byte[] EncodeProperties()
    {
        using MemoryStream block = new();
        if (PayloadFormat is byte format)
        {
            block.WriteByte((byte)PropertyId.PayloadFormatIndicator);
            block.WriteByte(format);
        }

        Write(block, PropertyId.ContentType, ContentType is null ? null : Encoding.UTF8.GetBytes(ContentType));
        Write(block, PropertyId.ResponseTopic, ResponseTopic is null ? null : Encoding.UTF8.GetBytes(ResponseTopic));
        Write(block, PropertyId.CorrelationData, CorrelationData);
        foreach ((string key, string value) in UserProperties)
        {
            Write(block, PropertyId.UserProperty, Encoding.UTF8.GetBytes(key));
            WriteBytes(block, Encoding.UTF8.GetBytes(value));
        }

        return block.ToArray();
    }

    private static void Write(MemoryStream block, PropertyId id, byte[]? value)
    {
        if (value is not null)
        {
            block.WriteByte((byte)id);
            WriteBytes(block, value);
        }
    }

    private static void WriteBytes(MemoryStream block, byte[] value)
    {
        block.WriteByte((byte)(value.Length >> 8));
        block.WriteByte((byte)value.Length);
        block.Write(value);
    }
}
