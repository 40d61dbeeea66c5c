namespace Trunkline.Protocol;

/// <summary>
/// Where a packet's property layout goes: once into <see cref="PropertyMeasure"/>, once into <see cref="PropertyOutput"/>.
/// So each layout is written down once, and size and bytes cannot disagree.
/// </summary>
internal interface IPropertySink
{
    void Byte(PropertyId id, byte value);

    void UInt16(PropertyId id, ushort value);

    void UInt32(PropertyId id, uint value);

    void VariableInteger(PropertyId id, uint value);

    /// <summary>Text or binary data; nothing where it is absent.</summary>
    void Optional(PropertyId id, ReadOnlySpan<byte> value);

    void UserProperties(UserPropertyList list);
}

/// <summary>Adds up the sizes.</summary>
internal struct PropertyMeasure : IPropertySink
{
    /// <summary>Bytes so far.</summary>
    public long Size;

    /// <summary>True when a text or datum is longer than its length field can say.</summary>
    public bool IsTooLong;

    public void Byte(PropertyId id, byte value) => Size += 2;

    public void UInt16(PropertyId id, ushort value) => Size += 3;

    public void UInt32(PropertyId id, uint value) => Size += 5;

    public void VariableInteger(PropertyId id, uint value)
    {
        Size += 1 + VariableByteInteger.SizeOf(value);
        IsTooLong |= value > VariableByteInteger.MaxValue;
    }

    public void Optional(PropertyId id, ReadOnlySpan<byte> value)
    {
        if (Presence.IsPresent(value))
        {
            Size += 3 + value.Length;
            IsTooLong |= value.Length > ushort.MaxValue;
        }
    }

    public void UserProperties(UserPropertyList list)
    {
        for (var each = list.GetEnumerator(); each.MoveNext();)
        {
            Size += each.Encoded.Length;
        }
    }
}

/// <summary>Writes the bytes.</summary>
internal ref struct PropertyOutput(WireWriter writer) : IPropertySink
{
    public WireWriter Writer = writer;

    public void Byte(PropertyId id, byte value)
    {
        Writer.Byte((byte)id);
        Writer.Byte(value);
    }

    public void UInt16(PropertyId id, ushort value)
    {
        Writer.Byte((byte)id);
        Writer.UInt16(value);
    }

    public void UInt32(PropertyId id, uint value)
    {
        Writer.Byte((byte)id);
        Writer.UInt32(value);
    }

    public void VariableInteger(PropertyId id, uint value)
    {
        Writer.Byte((byte)id);
        Writer.VariableInteger(value);
    }

    public void Optional(PropertyId id, ReadOnlySpan<byte> value)
    {
        if (Presence.IsPresent(value))
        {
            Writer.Byte((byte)id);
            Writer.Bytes(value);
        }
    }

    public void UserProperties(UserPropertyList list)
    {
        for (var each = list.GetEnumerator(); each.MoveNext();)
        {
            Writer.Raw(each.Encoded);
        }
    }
}
