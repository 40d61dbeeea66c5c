namespace Trunkline.Protocol;

/// <summary>PINGREQ: the client asks for a sign of life. Nothing is in it.</summary>
public readonly struct PingReqPacket
{
    /// <summary>Checks that it is empty.</summary>
    public static bool TryParse(scoped in Frame frame, out PingReqPacket packet, out ProtocolError error)
    {
        packet = default;
        error = frame.Type != PacketType.PingReq ? ProtocolErrors.WrongPacket
            : frame.Body.IsEmpty ? default
            : ProtocolErrors.BytesLeftOver;
        return error.Code == ReasonCode.Success;
    }
}
