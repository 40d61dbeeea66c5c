using Microsoft.Extensions.Logging;

namespace Trunkline.Broker;

/// <summary>The broker's log events, 4000 to 4199; their ids and names are contracts.</summary>
internal static partial class BrokerLog
{
    [LoggerMessage(4000, LogLevel.Information, "Group {Group} began term {Term} as incarnation {Incarnation}")]
    public static partial void GroupStarted(ILogger logger, string group, ulong term, string incarnation);

    [LoggerMessage(4001, LogLevel.Information, "Group {Group} raised its term to {Term}: node {Node} knows {Known}")]
    public static partial void TermRaised(ILogger logger, string group, ulong term, string node, ulong known);

    [LoggerMessage(4010, LogLevel.Information, "Group {Group}: {Kind} link {Link} of node {Node} is up")]
    public static partial void LinkUp(ILogger logger, string group, string kind, ulong link, string node);

    [LoggerMessage(4011, LogLevel.Information, "Group {Group}: {Kind} link {Link} of node {Node} is down")]
    public static partial void LinkDown(ILogger logger, string group, string kind, ulong link, string node);

    [LoggerMessage(4012, LogLevel.Warning, "Group {Group} refused a link: {Reason}")]
    public static partial void LinkRefused(ILogger logger, string group, string reason);

    [LoggerMessage(4013, LogLevel.Information, "Group {Group}: node {Node} resumed after {From}, reading from {Start}")]
    public static partial void LinkResumed(ILogger logger, string group, string node, string from, string start);

    [LoggerMessage(4014, LogLevel.Warning, "Group {Group}: node {Node} may have missed messages: it wants what follows {From}, the log begins after {Start}. Raise Broker:LogMaximumBytes if this is retention and not a restart")]
    public static partial void LinkLost(ILogger logger, string group, string node, string from, string start);

    [LoggerMessage(4020, LogLevel.Warning, "Group {Group}: node {Node} is gone; {Shares} shared subscriptions go on without it")]
    public static partial void NodeGone(ILogger logger, string group, string node, int shares);

    [LoggerMessage(4021, LogLevel.Information, "Group {Group}: {Shares} shared subscriptions are back, {Messages} messages of theirs not done")]
    public static partial void SharesRecovered(ILogger logger, string group, int shares, int messages);

    [LoggerMessage(4022, LogLevel.Warning, "Group {Group}: share {Share} may have missed messages: it wants what follows {From}, the log begins after {Start}. Raise Broker:LogMaximumBytes if this is retention")]
    public static partial void ShareLost(ILogger logger, string group, string share, string from, string start);

    [LoggerMessage(4023, LogLevel.Error, "Group {Group}: a record of shares is of a newer version; what it told is handed out again")]
    public static partial void ShareRecordUnknown(ILogger logger, string group);

    [LoggerMessage(4030, LogLevel.Warning, "Group {Group} refuses further retained messages: {Messages} messages, {Bytes} bytes. Raise Broker:RetainedMaximumMessages or RetainedMaximumBytes")]
    public static partial void RetainedFull(ILogger logger, string group, int messages, long bytes);
}
