using Microsoft.Extensions.Logging;

namespace Trunkline.Directory;

/// <summary>Log messages of the directory, events 3000-3199.</summary>
internal static partial class DirectoryLog
{
    [LoggerMessage(3000, LogLevel.Information, "Directory connected (connection {Number})")]
    internal static partial void Connected(ILogger logger, long number);

    [LoggerMessage(3001, LogLevel.Warning, "Directory connection given up: {Reason}")]
    internal static partial void ConnectionLost(ILogger logger, string reason);

    [LoggerMessage(3002, LogLevel.Warning, "Cannot connect to the directory: {Fault}; trying again in about {PauseMs} ms")]
    internal static partial void ConnectFailed(ILogger logger, string fault, int pauseMs);

    [LoggerMessage(3003, LogLevel.Warning, "The directory's subscriptions deliver nothing; connecting anew")]
    internal static partial void SubscriptionLost(ILogger logger);

    [LoggerMessage(3004, LogLevel.Debug, "Directory operation {Operation} failed: {Fault}")]
    internal static partial void OperationFailed(ILogger logger, string operation, string fault);

    [LoggerMessage(3005, LogLevel.Information, "The directory is {State}: {Detail}")]
    internal static partial void StateChanged(ILogger logger, DirectoryState state, string detail);

    [LoggerMessage(3006, LogLevel.Warning, "{Sentence}")]
    internal static partial void Durability(ILogger logger, string sentence);

    [LoggerMessage(3010, LogLevel.Warning, "Directory generation {New} instead of {Old}: what it held before may be forgotten, writing back")]
    internal static partial void GenerationChanged(ILogger logger, string old, string @new);

    [LoggerMessage(3020, LogLevel.Information, "Node {Node} ({Name}) appeared")]
    internal static partial void NodeAppeared(ILogger logger, NodeId node, string name);

    [LoggerMessage(3021, LogLevel.Information, "Node {Node} ({Name}) is gone: {Reason}")]
    internal static partial void NodeGone(ILogger logger, NodeId node, string name, NodeGoneReason reason);

    [LoggerMessage(3022, LogLevel.Warning, "Declared node {Node} dead: its counter stood still at {Counter} for a full lease")]
    internal static partial void DeclaredOther(ILogger logger, NodeId node, long counter);

    [LoggerMessage(3023, LogLevel.Error, "This node was declared dead: {Reason}")]
    internal static partial void DeclaredDead(ILogger logger, string reason);

    [LoggerMessage(3024, LogLevel.Information, "Detached {Count} sessions of dead node {Node}")]
    internal static partial void Detached(ILogger logger, NodeId node, int count);

    [LoggerMessage(3025, LogLevel.Warning, "Detaching the sessions of dead node {Node} failed and is tried again: {Fault}")]
    internal static partial void DetachFailed(ILogger logger, NodeId node, string fault);

    [LoggerMessage(3026, LogLevel.Warning, "A node's entry in the directory cannot be read and is passed over: {Entry}")]
    internal static partial void NodeUnreadable(ILogger logger, string entry);

    [LoggerMessage(3027, LogLevel.Error, "This node cannot register again: {Sentence}")]
    internal static partial void RegistrationRefused(ILogger logger, string sentence);

    [LoggerMessage(3028, LogLevel.Error, "The checkpoint of node {Node} ({Bytes} bytes) cannot be read and is passed over: its sessions start from their records")]
    internal static partial void CheckpointUnreadable(ILogger logger, NodeId node, int bytes);

    [LoggerMessage(3029, LogLevel.Warning, "The checkpoint of dead node {Node} is of a newer version: its sessions are left to a proxy of that version")]
    internal static partial void CheckpointNewer(ILogger logger, NodeId node);

    [LoggerMessage(3030, LogLevel.Warning, "A message of another node cannot be read and is passed over")]
    internal static partial void MessageUnreadable(ILogger logger);

    [LoggerMessage(3040, LogLevel.Information, "Slot map version {Version}")]
    internal static partial void SlotMapChanged(ILogger logger, ulong version);

    [LoggerMessage(3041, LogLevel.Warning, "The directory's slot map went back to version {Stored}; writing back version {Known}")]
    internal static partial void SlotMapWentBack(ILogger logger, ulong stored, ulong known);

    [LoggerMessage(3042, LogLevel.Error, "The directory's slot map ({Bytes} bytes) is damaged or of a newer version; the one known before stays in use")]
    internal static partial void SlotMapUnreadable(ILogger logger, int bytes);

    [LoggerMessage(3044, LogLevel.Error, "The directory's file in {Folder} could not be synced: {Fault} What it has gained since the last good sync may not survive a power cut; look at the disk")]
    internal static partial void CannotSync(ILogger logger, string folder, string fault);

    [LoggerMessage(3045, LogLevel.Information, "{Count} sessions read from {Folder}")]
    internal static partial void RecordsRead(ILogger logger, int count, string folder);

    [LoggerMessage(3046, LogLevel.Warning, "{File}: the last {Bytes} bytes had not reached the disk whole, and were cut")]
    internal static partial void TailCut(ILogger logger, string file, long bytes);

    [LoggerMessage(3047, LogLevel.Error, "The directory's file in {Folder} cannot be written; calls that change something are refused until it can: {Fault}")]
    internal static partial void JournalFailed(ILogger logger, string folder, string fault);

    [LoggerMessage(3048, LogLevel.Information, "The directory's file in {Folder} is written again")]
    internal static partial void JournalHealed(ILogger logger, string folder);

    [LoggerMessage(3049, LogLevel.Warning, "The directory's file in {Folder} has grown and cannot be replaced by a smaller one; it goes on growing: {Fault}")]
    internal static partial void ReplaceFailed(ILogger logger, string folder, string fault);

    [LoggerMessage(3050, LogLevel.Error, "A handler of directory events threw")]
    internal static partial void HandlerThrew(ILogger logger, Exception exception);
}
