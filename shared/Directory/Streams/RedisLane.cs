using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>
/// One connection to Redis for one purpose of one group's stream: a read that waits in Redis must not stand before anything
/// else. It subscribes nothing.
/// </summary>
internal sealed class RedisLane(DirectoryOptions options, DirectoryEnvironment environment, StreamMeters meters, string group, string name)
    : RedisKeeper(options, environment)
{
    protected override string ClientName { get; } = $"trunkline-{group}-{name}".Replace(' ', '-');

    // Without these the library opens no second socket for subscriptions.
    protected override void Configure(ConfigurationOptions configuration) =>
        configuration.CommandMap = CommandMap.Create(["SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE"], available: false);

    protected override void OnConnectFailed(string fault, int pauseMs) =>
        StreamLog.ConnectFailed(Environment.Logger, group, name, fault, pauseMs);

    protected override void OnConnected() => StreamLog.Connected(Environment.Logger, group, name);

    protected override void OnLost(string reason, bool isReplaced)
    {
        if (isReplaced)
        {
            meters.Recycled(group);
            StreamLog.ConnectionLost(Environment.Logger, group, name, reason);
        }
    }
}
