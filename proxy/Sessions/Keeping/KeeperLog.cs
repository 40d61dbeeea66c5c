using Microsoft.Extensions.Logging;
using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <summary>What keeping sessions logs, events 1120-1139.</summary>
internal static partial class KeeperLog
{
    [LoggerMessage(1120, LogLevel.Warning, "A field of the stored session of {ClientId} was set aside: {Field} is {Kind}.")]
    internal static partial void FieldSetAside(ILogger logger, string clientId, string field, FieldDamageKind kind);

    [LoggerMessage(1121, LogLevel.Error, "The stored session of {ClientId} cannot be read whole; the device gets a new one and is told so.")]
    internal static partial void SessionUnreadable(ILogger logger, string clientId);

    [LoggerMessage(1122, LogLevel.Warning, "The directory does not take what {Count} sessions write ({Status}: {Detail}); it is repeated. Devices stay; QoS 2 and SUBSCRIBE of sessions that outlive their connection wait.")]
    internal static partial void WritesWait(ILogger logger, int count, Directory.DirectoryStatus status, string? detail);

    [LoggerMessage(1123, LogLevel.Information, "The directory takes what sessions write again.")]
    internal static partial void WritesGoOn(ILogger logger);

    [LoggerMessage(1124, LogLevel.Warning, "The checkpoint could not be written ({Status}): {Detail}")]
    internal static partial void CheckpointFailed(ILogger logger, Directory.DirectoryStatus status, string? detail);

    [LoggerMessage(1125, LogLevel.Warning, "A stored will of {ClientId} cannot be read and is dropped.")]
    internal static partial void WillUnreadable(ILogger logger, string clientId);

    [LoggerMessage(1126, LogLevel.Information, "Node {Node} did not give {ClientId} up in time; its checkpoint is used.")]
    internal static partial void TakenUnanswered(ILogger logger, Directory.NodeId node, string clientId);

    [LoggerMessage(1128, LogLevel.Warning, "The directory is away ({Detail}). By Directory:WhenAway devices that connect now are served clean sessions of this node alone: nothing of them is kept, whatever they asked for, and they end with their connections.")]
    internal static partial void ServesClean(ILogger logger, string? detail);

    [LoggerMessage(1129, LogLevel.Information, "The directory answers again: sessions are kept. {Count} devices were served clean sessions meanwhile.")]
    internal static partial void ServesAgain(ILogger logger, long count);

    [LoggerMessage(1130, LogLevel.Warning, "A stored will of {ClientId} is of a newer version; it is left to a proxy of that version.")]
    internal static partial void WillNewer(ILogger logger, string clientId);

    [LoggerMessage(1131, LogLevel.Warning, "{Count} sessions are behind the checkpoint, and it lists no more than {Maximum} apart: the one before stays. If this node dies meanwhile, QoS 1 messages since then come again. Devices that do not acknowledge are behind: spread them over more proxies, or find why they do not.")]
    internal static partial void CheckpointHeldBack(ILogger logger, int count, int maximum);

    [LoggerMessage(1132, LogLevel.Information, "Checkpoints go on: {Count} sessions are listed apart.")]
    internal static partial void CheckpointGoesOn(ILogger logger, int count);

    [LoggerMessage(1127, LogLevel.Warning, "{Count} sessions were not written to the directory before the end of this node; their last checkpoint serves.")]
    internal static partial void NotDetached(ILogger logger, int count);
}
