namespace Trunkline.Protocol;

/// <summary>
/// The part of a PUBLISH's properties that travels with the message, unaltered and in order: payload format, content
/// type, response topic, correlation data and user properties ([MQTT-3.3.2-4], [MQTT-3.3.2-15] to [MQTT-3.3.2-18],
/// [MQTT-3.3.2-20]). Expiry, alias and subscription identifiers are set anew for every receiver.
/// </summary>
public static class ForwardableProperties
{
    /// <summary>The name of the user property in which the tier carries what MQTT cannot say; stripped from what devices send.</summary>
    public static ReadOnlySpan<byte> TrunklineKey => "tl"u8;

    /// <summary>The bytes that <see cref="Copy(in PublishProperties, Span{byte}, bool)"/> writes.</summary>
    public static int Measure(in PublishProperties properties, bool strip) =>
        CanCopyWhole(properties, strip) ? properties.Raw.Length : MeasureBlock(properties.Raw, strip);

    /// <summary>Copies the forwardable part; <paramref name="strip"/> leaves out user properties named <see cref="TrunklineKey"/>.</summary>
    /// <returns>The bytes written.</returns>
    public static int Copy(in PublishProperties properties, Span<byte> destination, bool strip)
    {
        if (!CanCopyWhole(properties, strip))
        {
            return CopyBlock(properties.Raw, destination, strip);
        }

        properties.Raw.CopyTo(destination);
        return properties.Raw.Length;
    }

    /// <summary>The bytes that <see cref="Copy(in WillProperties, Span{byte}, bool)"/> writes.</summary>
    public static int Measure(in WillProperties properties, bool strip) => MeasureBlock(properties.Raw, strip);

    /// <summary>Copies the forwardable part of a will's properties as received.</summary>
    /// <returns>The bytes written.</returns>
    public static int Copy(in WillProperties properties, Span<byte> destination, bool strip) =>
        CopyBlock(properties.Raw, destination, strip);

    /// <summary>Finds the first user property named <paramref name="key"/>.</summary>
    public static bool TryFindUserProperty(in PublishProperties properties, ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value) =>
        properties.UserProperties.TryFind(key, out value);

    private static bool CanCopyWhole(in PublishProperties properties, bool strip) =>
        properties.IsAllForwardable && !(strip && properties.HasUserProperties);

    private static int MeasureBlock(ReadOnlySpan<byte> block, bool strip)
    {
        var total = 0;
        for (int size; (size = PropertyWalk.SizeOfFirst(block)) != 0; block = block[size..])
        {
            total += IsForwarded(block[..size], strip) ? size : 0;
        }

        return total;
    }

    private static int CopyBlock(ReadOnlySpan<byte> block, Span<byte> destination, bool strip)
    {
        var total = 0;
        for (int size; (size = PropertyWalk.SizeOfFirst(block)) != 0; block = block[size..])
        {
            var property = block[..size];
            if (IsForwarded(property, strip))
            {
                property.CopyTo(destination[total..]);
                total += size;
            }
        }

        return total;
    }

    private static bool IsForwarded(ReadOnlySpan<byte> property, bool strip)
    {
        var id = property[0];
        if (((PropertyTable.Forwardable >> id) & 1) == 0)
        {
            return false;
        }

        // A user property is 0x26, key length (2), key, value length (2), value.
        return !strip
            || id != (byte)PropertyId.UserProperty
            || property[1] != 0
            || property[2] != TrunklineKey.Length
            || !property[3..].StartsWith(TrunklineKey);
    }
}
