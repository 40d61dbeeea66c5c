using Microsoft.Extensions.Logging;

namespace Trunkline.Broker;

/// <summary>What a group's folder says, events 4100 to 4199; their ids and names are contracts.</summary>
internal static partial class StoreLog
{
    [LoggerMessage(4100, LogLevel.Information, "Group {Group} found {Messages} messages in {Segments} segments, {Retained} retained messages and {Producers} publish links in {Folder}, in {ElapsedMs} ms")]
    public static partial void Recovered(ILogger logger, string group, long messages, int segments, int retained, int producers, string folder, long elapsedMs);

    [LoggerMessage(4101, LogLevel.Warning, "Group {Group}: the last write to {File} was cut short; {Bytes} bytes after offset {Offset} were never acknowledged as a whole record and are cut")]
    public static partial void TailCut(ILogger logger, string group, string file, long bytes, long offset);

    [LoggerMessage(4102, LogLevel.Error, "Group {Group}: a damaged file was set aside as {File}; its messages are lost to this log: {Reason}")]
    public static partial void SetAside(ILogger logger, string group, string file, string reason);

    [LoggerMessage(4103, LogLevel.Error, "Group {Group} cannot write to {Folder}: {Reason} QoS 1 and 2 publishes stay open until it can, QoS 0 goes on")]
    public static partial void CannotWrite(ILogger logger, string group, string folder, string reason);

    [LoggerMessage(4104, LogLevel.Information, "Group {Group} writes again; {Bytes} bytes had waited")]
    public static partial void WritingAgain(ILogger logger, string group, long bytes);

    [LoggerMessage(4105, LogLevel.Error, "Group {Group}: {Messages} messages at offset {Offset} of {File} cannot be read back and are passed over")]
    public static partial void BlockUnreadable(ILogger logger, string group, string file, long offset, int messages);

    [LoggerMessage(4106, LogLevel.Warning, "Group {Group} could not delete {File}, which retention has passed: {Reason}")]
    public static partial void DeletionFailed(ILogger logger, string group, string file, string reason);

    [LoggerMessage(4107, LogLevel.Warning, "Group {Group} could not write its retained messages to {File}: {Reason} It tries again with the next segment")]
    public static partial void RetainedNotWritten(ILogger logger, string group, string file, string reason);

    [LoggerMessage(4108, LogLevel.Warning, "Group {Group} could not write {File} anew without the messages of who has more than its share: {Reason} It is left as it is")]
    public static partial void ThinningFailed(ILogger logger, string group, string file, string reason);

    [LoggerMessage(4109, LogLevel.Information, "Group {Group}: {File} was joined to {Joined} when the broker ended, and is deleted")]
    public static partial void JoinedLeft(ILogger logger, string group, string file, string joined);
}
