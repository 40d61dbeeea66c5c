using System.Buffers.Binary;

namespace Trunkline.Protocol;

/// <summary>
/// What PUBACK, PUBREC, PUBREL and PUBCOMP share.
/// <code>
///   packet id (2), [5.0: reason code (1), [properties]]     nothing after the id means Success
/// </code>
/// </summary>
internal ref struct Acknowledgement
{
    public ushort PacketId;
    public ReasonCode ReasonCode;
    public ReadOnlySpan<byte> ReasonString;
    public ReadOnlySpan<byte> UserPropertyBlock;

    public static bool TryParse(
        scoped in Frame frame, PacketType type, ProtocolVersion version, out Acknowledgement acknowledgement, out ProtocolError error)
    {
        acknowledgement = default;
        var body = frame.Body;
        if (frame.Type == type && body.Length == sizeof(ushort))
        {
            acknowledgement.PacketId = BinaryPrimitives.ReadUInt16BigEndian(body);
            error = acknowledgement.PacketId != 0 ? default : ProtocolErrors.PacketIdZero;
            return acknowledgement.PacketId != 0;
        }

        return TryParseLong(frame, type, version, ref acknowledgement, out error);
    }

    private static bool TryParseLong(
        scoped in Frame frame, PacketType type, ProtocolVersion version, ref Acknowledgement acknowledgement, out ProtocolError error)
    {
        if (frame.Type != type)
        {
            error = ProtocolErrors.WrongPacket;
            return false;
        }

        var reader = new WireReader(frame.Body);
        if (!reader.TryReadPacketId(out acknowledgement.PacketId, out error))
        {
            return false;
        }

        if (version != ProtocolVersion.Mqtt50)
        {
            error = ProtocolErrors.BytesLeftOver;
            return false;
        }

        if (!reader.TryReadByte(out var code, out error))
        {
            return false;
        }

        acknowledgement.ReasonCode = (ReasonCode)code;

        // Either side may send these, with the same codes.
        if (!ReasonCodes.IsAllowed(type, PacketSender.Client, acknowledgement.ReasonCode))
        {
            error = ProtocolErrors.ReasonCodeNotAllowed;
            return false;
        }

        if (reader.IsAtEnd)
        {
            return true;
        }

        var properties = new PropertySet();
        if (!reader.TryReadPropertyBlock(out var block, out error)
            || !properties.TryRead(block, PropertyTable.Acknowledgement, out error)
            || !reader.IsComplete(out error))
        {
            return false;
        }

        acknowledgement.ReasonString = properties.ReasonString;
        acknowledgement.UserPropertyBlock = properties.UserPropertyBlock;
        return true;
    }
}
