namespace Trunkline.Protocol;

/// <summary>Packets that are always the same bytes.</summary>
public static class FixedFrames
{
    /// <summary>PINGREQ.</summary>
    public static ReadOnlySpan<byte> PingReq => [0xC0, 0x00];

    /// <summary>PINGRESP.</summary>
    public static ReadOnlySpan<byte> PingResp => [0xD0, 0x00];

    /// <summary>DISCONNECT of 3.x, which is also the 5.0 one with reason code Success and no properties.</summary>
    public static ReadOnlySpan<byte> Disconnect3 => [0xE0, 0x00];
}
