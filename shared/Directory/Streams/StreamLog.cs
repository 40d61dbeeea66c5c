using Microsoft.Extensions.Logging;

namespace Trunkline.Directory;

/// <summary>Log messages of the streams of foreign groups, events 3150-3169.</summary>
internal static partial class StreamLog
{
    [LoggerMessage(3150, LogLevel.Information, "Group {Group}: the {Lane} connection to its log in Redis is up")]
    internal static partial void Connected(ILogger logger, string group, string lane);

    [LoggerMessage(3151, LogLevel.Warning, "Group {Group}: the {Lane} connection to its log in Redis was given up: {Reason}")]
    internal static partial void ConnectionLost(ILogger logger, string group, string lane, string reason);

    [LoggerMessage(3152, LogLevel.Warning, "Group {Group}: cannot make the {Lane} connection to its log in Redis: {Fault}; trying again in about {PauseMs} ms")]
    internal static partial void ConnectFailed(ILogger logger, string group, string lane, string fault, int pauseMs);

    [LoggerMessage(3153, LogLevel.Debug, "Group {Group}: operation {Operation} on its log in Redis failed: {Fault}")]
    internal static partial void OperationFailed(ILogger logger, string group, string operation, string fault);

    [LoggerMessage(3154, LogLevel.Warning, "Group {Group}: it is not known that the replicas have an append to its log: {Reason}; it is not acknowledged and is appended again")]
    internal static partial void ReplicasUnconfirmed(ILogger logger, string group, string reason);
}
