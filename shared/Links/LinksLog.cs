using Microsoft.Extensions.Logging;
using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>Log lines of the links; event ids 5000 to 5199 are contracts.</summary>
internal static partial class LinksLog
{
    [LoggerMessage(5000, LogLevel.Information, "Group {Group}: link {Link} is connected{HeldBack}.")]
    public static partial void LinkOpened(ILogger log, string group, string link, HeldBackLines heldBack);

    [LoggerMessage(5001, LogLevel.Warning, "Group {Group}: link {Link} is lost and dials again: {Reason}{HeldBack}.")]
    public static partial void LinkLost(ILogger log, string group, string link, string reason, HeldBackLines heldBack);

    [LoggerMessage(5002, LogLevel.Warning, "Group {Group}: link {Link} could not connect and will try again: {Reason}{HeldBack}.")]
    public static partial void ConnectFailed(ILogger log, string group, string link, string reason, HeldBackLines heldBack);

    [LoggerMessage(5003, LogLevel.Error, "Group {Group} is refused: {Sentence}")]
    public static partial void GroupRefused(ILogger log, string group, string sentence);

    [LoggerMessage(5004, LogLevel.Information, "Group {Group} passed the probe.")]
    public static partial void ProbePassed(ILogger log, string group);

    [LoggerMessage(5005, LogLevel.Warning, "Group {Group}: after the resume from {Position} the broker says that messages may be missing: {Reason}")]
    public static partial void ResumeWithLoss(ILogger log, string group, string position, string reason);

    [LoggerMessage(5013, LogLevel.Error, "Group {Group}: the broker refused a report on shared subscriptions: {Reason}")]
    public static partial void ShareReportRefused(ILogger log, string group, string reason);

    [LoggerMessage(5006, LogLevel.Warning, "Group {Group}: the broker refused an upstream subscription with {Reason}; its subscribers get 0x80 or miss messages until the next connection.")]
    public static partial void UpstreamRefused(ILogger log, string group, string reason);

    [LoggerMessage(5007, LogLevel.Warning, "Group {Group}: {Count} messages waited longer than {Milliseconds} ms without reaching a connection and were refused (0x97).")]
    public static partial void RefusedAway(ILogger log, string group, int count, int milliseconds);

    [LoggerMessage(5008, LogLevel.Information, "The slot map has changed: {Map}")]
    public static partial void SlotsChanged(ILogger log, string map);

    [LoggerMessage(5009, LogLevel.Warning, "Stopped with {Count} messages not acknowledged by group {Group}.")]
    public static partial void StoppedUnacknowledged(ILogger log, int count, string group);

    [LoggerMessage(5010, LogLevel.Warning, "Group {Group}: {Sessions} sessions may miss messages between {From} and {UpTo}: the log does not hold them any more.")]
    public static partial void BacklogLost(ILogger log, string group, int sessions, string from, string upTo);

    [LoggerMessage(5011, LogLevel.Warning, "Group {Group}: a page of its log from {From} could not be read and is asked for again: {Error}")]
    public static partial void BacklogFailed(ILogger log, string group, string from, string error);

    [LoggerMessage(5012, LogLevel.Warning, "The backlog of session {ClientId} at group {Group} was above its limit: {Skipped} messages, policy {Policy}{HeldBack}.")]
    public static partial void BacklogLimited(ILogger log, string clientId, string group, long skipped, BacklogPolicy policy, HeldBackLines heldBack);

    [LoggerMessage(5020, LogLevel.Warning, "Group {Group}: its log takes nothing, QoS 1 and 2 messages to it wait: {Reason}")]
    public static partial void LogFails(ILogger log, string group, string reason);

    [LoggerMessage(5021, LogLevel.Information, "Group {Group}: its log takes messages again, after {Milliseconds} ms.")]
    public static partial void LogTakesAgain(ILogger log, string group, long milliseconds);

    [LoggerMessage(5022, LogLevel.Warning, "Group {Group}: {Count} entries of its log up to {Position} are damaged or of another version and were passed over.")]
    public static partial void LogDamaged(ILogger log, string group, int count, string position);

    [LoggerMessage(5023, LogLevel.Warning, "Group {Group}: the end of its log cannot be read: {Reason}")]
    public static partial void LogTailFails(ILogger log, string group, string reason);

    [LoggerMessage(5024, LogLevel.Warning, "Group {Group}: its log had given up messages after {Position} before this node read them; sessions that outlive their connection miss them.")]
    public static partial void LogTailLost(ILogger log, string group, string position);

    [LoggerMessage(5026, LogLevel.Warning, "Session {ClientId} took none of its retained messages of group {Group} for {Milliseconds} ms while others waited for theirs; its connection is closed.")]
    public static partial void ReplayGivenUp(ILogger log, string clientId, string group, int milliseconds);

    [LoggerMessage(5025, LogLevel.Warning, "Group {Group} has no log (Log: none): what its broker sends while a link or a device is away is not kept, and what it had not stored when it dies is lost.")]
    public static partial void NoLog(ILogger log, string group);
}
