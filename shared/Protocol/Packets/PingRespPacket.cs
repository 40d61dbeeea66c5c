namespace Trunkline.Protocol;

/// <summary>PINGRESP: the server answers PINGREQ. Nothing is in it.</summary>
public readonly struct PingRespPacket
{
    /// <summary>Checks that it is empty.</summary>
    public static bool TryParse(scoped in Frame frame, out PingRespPacket packet, out ProtocolError error)
    {
        packet = default;
        error = frame.Type != PacketType.PingResp ? ProtocolErrors.WrongPacket
            : frame.Body.IsEmpty ? default
            : ProtocolErrors.BytesLeftOver;
        return error.Code == ReasonCode.Success;
    }
}
