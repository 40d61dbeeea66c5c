namespace Trunkline.Hosting;

/// <summary>Close codes of RFC 6455 that we send.</summary>
internal static class WebSocketCloseCode
{
    public const int Normal = 1000;
    public const int GoingAway = 1001;
    public const int ProtocolError = 1002;
    public const int Unsupported = 1003;
    public const int TooBig = 1009;
    public const int ServerError = 1011;
}
