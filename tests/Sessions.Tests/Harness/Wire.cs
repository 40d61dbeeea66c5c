using System.Text;

namespace Trunkline.Sessions.Tests.Harness;

/// <summary>Builds frames byte by byte, for what the codec's writers refuse to write or leave to the caller.</summary>
public static class Wire
{
    public static byte[] Text(string text) => Binary(Encoding.UTF8.GetBytes(text));

    public static byte[] Binary(byte[] bytes) => [(byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];

    public static byte[] Frame(byte first, params byte[] body)
    {
        Span<byte> length = stackalloc byte[4];
        int size = VariableByteInteger.Write(length, (uint)body.Length);
        return [first, .. length[..size], .. body];
    }

    /// <summary>A block of properties with its length before it.</summary>
    public static byte[] Block(byte[] properties)
    {
        Span<byte> length = stackalloc byte[4];
        int size = VariableByteInteger.Write(length, (uint)properties.Length);
        return [.. length[..size], .. properties];
    }

    public static byte[] TextProperty(PropertyId id, string text) => [(byte)id, .. Text(text)];

    public static byte[] UserProperty(string key, string value) => [(byte)PropertyId.UserProperty, .. Text(key), .. Text(value)];

    public static byte[] IntProperty(PropertyId id, uint value) =>
        [(byte)id, (byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    public static byte[] Publish(ProtocolVersion version, string topic, string payload, PublishSettings settings)
    {
        byte first = (byte)(0x30 | (settings.Duplicate ? 8 : 0) | ((int)settings.QoS << 1) | (settings.Retain ? 1 : 0));
        byte[] id = settings.QoS == QoS.AtMostOnce ? [] : [(byte)(settings.Id >> 8), (byte)settings.Id];
        byte[] properties = [];
        if (version == ProtocolVersion.Mqtt50)
        {
            byte[] alias = settings.Alias == 0 ? [] : [(byte)PropertyId.TopicAlias, (byte)(settings.Alias >> 8), (byte)settings.Alias];
            byte[] expiry = settings.Expiry is { } seconds ? IntProperty(PropertyId.MessageExpiryInterval, seconds) : [];
            properties = Block([.. expiry, .. alias, .. settings.Properties]);
        }

        return Frame(first, [.. Text(topic), .. id, .. properties, .. Encoding.UTF8.GetBytes(payload)]);
    }
}
