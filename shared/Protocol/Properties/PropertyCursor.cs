using System.Buffers.Binary;

namespace Trunkline.Protocol;

/// <summary>
/// Reads a property block and checks all that can be said of a single property: that it is of this packet, comes once,
/// lies inside the block, and has an allowed value.
/// <code>
///   block = { identifier (1 byte), value by kind }*
/// </code>
/// </summary>
/// <param name="block">The block without its length.</param>
/// <param name="allowed">The packet's properties, from <see cref="PropertyTable"/>.</param>
/// <param name="repeatable">Those that may come more than once.</param>
internal ref struct PropertyCursor(ReadOnlySpan<byte> block, ulong allowed, ulong repeatable)
{
    private readonly ReadOnlySpan<byte> _block = block;
    private readonly ulong _allowed = allowed;
    private ulong _refused = ~allowed;
    private int _next;

    /// <summary>The identifier of the current property.</summary>
    public PropertyId Id { get; private set; }

    /// <summary>The value of a numeric property.</summary>
    public uint Number { get; private set; }

    /// <summary>The value of a text or binary property.</summary>
    public ReadOnlySpan<byte> Data { get; private set; }

    /// <summary>Where the current property begins in the block.</summary>
    public int Start { get; private set; }

    /// <summary>What stopped the cursor; meaningful when <see cref="Failed"/>.</summary>
    public ProtocolError Error { get; private set; }

    /// <summary>True when the block is malformed at the place reached.</summary>
    public bool Failed { get; private set; }

    /// <summary>Moves to the next property; false at the end and on failure.</summary>
    public bool TryNext()
    {
        if ((uint)_next >= (uint)_block.Length)
        {
            return false;
        }

        Start = _next;
        var id = _block[_next++];
        if (id >= 64 || ((_refused >> id) & 1) != 0)
        {
            return Fail(id < 64 && ((_allowed >> id) & 1) != 0 ? ProtocolErrors.PropertyRepeated : ProtocolErrors.PropertyNotAllowed);
        }

        var bit = 1UL << id;
        _refused |= bit & ~repeatable;
        Id = (PropertyId)id;
        return TryReadValue(PropertyTable.KindOf(id), bit);
    }

    private bool TryReadValue(PropertyKind kind, ulong bit)
    {
        var rest = _block[_next..];
        switch (kind)
        {
            case PropertyKind.Byte when rest.Length >= sizeof(byte):
                return TakeNumber(rest[0], sizeof(byte), bit);
            case PropertyKind.UInt16 when rest.Length >= sizeof(ushort):
                return TakeNumber(BinaryPrimitives.ReadUInt16BigEndian(rest), sizeof(ushort), bit);
            case PropertyKind.UInt32 when rest.Length >= sizeof(uint):
                return TakeNumber(BinaryPrimitives.ReadUInt32BigEndian(rest), sizeof(uint), bit);
            case PropertyKind.VariableInteger:
                return VariableByteInteger.TryRead(rest, out var value, out var size)
                    ? TakeNumber(value, size, bit)
                    : Fail(ProtocolErrors.VariableByteIntegerMalformed);
            case PropertyKind.Text:
                return TryTakeData(isText: true);
            case PropertyKind.Binary:
                return TryTakeData(isText: false);
            case PropertyKind.TextPair:
                return TryTakeData(isText: true) && TryTakeData(isText: true);
            default:
                return Fail(ProtocolErrors.FieldPastEnd);
        }
    }

    private bool TakeNumber(uint value, int size, ulong bit)
    {
        _next += size;
        Number = value;
        if ((value > 1 && (bit & PropertyTable.ZeroOrOne) != 0) || (value == 0 && (bit & PropertyTable.NotZero) != 0))
        {
            return Fail(bit == PropertyTable.TopicAlias ? ProtocolErrors.TopicAliasZero : ProtocolErrors.PropertyValueInvalid);
        }

        return true;
    }

    private bool TryTakeData(bool isText)
    {
        var rest = _block[_next..];
        if (rest.Length < sizeof(ushort))
        {
            return Fail(ProtocolErrors.FieldPastEnd);
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (rest.Length - sizeof(ushort) < length)
        {
            return Fail(ProtocolErrors.FieldPastEnd);
        }

        Data = rest.Slice(sizeof(ushort), length);
        _next += sizeof(ushort) + length;
        return !isText || Utf8.IsValidMqttString(Data) || Fail(ProtocolErrors.TextMalformed);
    }

    private bool Fail(ProtocolError error)
    {
        Error = error;
        Failed = true;
        return false;
    }
}
