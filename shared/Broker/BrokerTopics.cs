namespace Trunkline.Broker;

/// <summary>The topics that are the broker's own.</summary>
internal static class BrokerTopics
{
    /// <summary>Requests go to topics that begin so.</summary>
    public static ReadOnlySpan<byte> Requests => "$trunkline/"u8;

    /// <summary>Up to where everything was sent on a receive link.</summary>
    public static ReadOnlySpan<byte> Tail => "$trunkline/tail"u8;

    /// <summary>What the broker says of itself; nobody else publishes there.</summary>
    public static ReadOnlySpan<byte> System => "$SYS/"u8;
}
