using Microsoft.Extensions.Logging;

namespace Trunkline.Broker;

/// <summary>What a group's folder says, events 4100 to 4199; their ids and names are contracts.</summary>
internal static partial class StoreLog
{
    [LoggerMessage(4100, LogLevel.Information, "Group {Group} found {Messages} messages in {Segments} segments, {Retained} retained messages and {Producers} publish links in {Folder}, in {ElapsedMs} ms")]
    public static partial void Recovered(ILogger logger, string group, long messages, int segments, int retained, int producers, string folder, long elapsedMs);

    [LoggerMessage(4101, LogLevel.Warning, "Group {Group}: the end of {File} had not reached the disk when it was cut short; {Bytes} bytes after offset {Offset} are cut. With Broker:Commit=os a power cut may have taken what was acknowledged within the last Broker:SyncIntervalMs, else nothing acknowledged is among them")]
    public static partial void TailCut(ILogger logger, string group, string file, long bytes, long offset);

    [LoggerMessage(4102, LogLevel.Error, "Group {Group}: a damaged file was set aside as {File}; its messages are lost to this log: {Reason}")]
    public static partial void SetAside(ILogger logger, string group, string file, string reason);

    [LoggerMessage(4103, LogLevel.Error, "Group {Group} cannot write to {Folder}: {Reason} QoS 1 and 2 publishes stay open until it can, QoS 0 goes on")]
    public static partial void CannotWrite(ILogger logger, string group, string folder, string reason);

    [LoggerMessage(4104, LogLevel.Information, "Group {Group} writes again; {Bytes} bytes had waited")]
    public static partial void WritingAgain(ILogger logger, string group, long bytes);

    [LoggerMessage(4105, LogLevel.Error, "Group {Group}: {Messages} messages at offset {Offset} of {File} could not be read back for {ElapsedMs} ms and are passed over: {Reason} They are served again when they can be read; look at the disk")]
    public static partial void BlockUnreadable(ILogger logger, string group, string file, long offset, int messages, long elapsedMs, string reason);

    [LoggerMessage(4106, LogLevel.Warning, "Group {Group} could not delete {File}, which retention has passed: {Reason}")]
    public static partial void DeletionFailed(ILogger logger, string group, string file, string reason);

    [LoggerMessage(4107, LogLevel.Warning, "Group {Group} could not write its retained messages to {File}: {Reason} It tries again with the next segment")]
    public static partial void RetainedNotWritten(ILogger logger, string group, string file, string reason);

    [LoggerMessage(4108, LogLevel.Warning, "Group {Group} could not write {File} anew without the messages of who has more than its share: {Reason} It is tried again when room is needed, within a minute")]
    public static partial void ThinningFailed(ILogger logger, string group, string file, string reason);

    [LoggerMessage(4109, LogLevel.Information, "Group {Group}: {File} was joined to {Joined} when the broker ended, and is deleted")]
    public static partial void JoinedLeft(ILogger logger, string group, string file, string joined);

    [LoggerMessage(4110, LogLevel.Warning, "Group {Group} cannot read {File} at offset {Offset}: {Reason} It tries again for {WaitMs} ms; links and sessions that read there wait")]
    public static partial void CannotRead(ILogger logger, string group, string file, long offset, string reason, int waitMs);

    [LoggerMessage(4111, LogLevel.Information, "Group {Group} reads {File} at offset {Offset} again")]
    public static partial void ReadingAgain(ILogger logger, string group, string file, long offset);

    [LoggerMessage(4112, LogLevel.Error, "Group {Group}: {Bytes} bytes at offset {Offset} of {File} are damaged; {Messages} messages are passed over, the others are served. The next start refuses the file: look at the disk, stop the broker and bring back a sound copy, or start once with --Broker:DamagedSegments set-aside")]
    public static partial void Damaged(ILogger logger, string group, string file, long offset, int bytes, long messages);

    [LoggerMessage(4113, LogLevel.Information, "Group {Group} wrote {File} anew after {Failures} tries that failed")]
    public static partial void ThinnedAtLast(ILogger logger, string group, string file, int failures);

    [LoggerMessage(4114, LogLevel.Error, "Group {Group} could not sync {File}: {Reason} What it has gained since the last good sync may not survive a power cut; look at the disk")]
    public static partial void CannotSync(ILogger logger, string group, string file, string reason);
}
