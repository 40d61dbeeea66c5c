using System.Buffers;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

/// <summary>
/// Asks the broker how much of one session's backlog lies within its limits. Belongs to the asking loop, while it is asked
/// to the receiver's.
/// </summary>
internal sealed class LogCount(BacklogReader reader, GroupReceiver receiver, int loop, BacklogRead read)
    : LogRequest(receiver, loop)
{
    private readonly ArrayBufferWriter<byte> _request = new(256);

    public BacklogRead Read { get; } = read;

    public override ReadOnlySpan<byte> Request => _request.WrittenSpan;

    /// <summary>After it only what is within the limits remains.</summary>
    public LogPosition PassedOver { get; private set; }

    /// <summary>Messages before it that the session would have got.</summary>
    public long Skipped { get; private set; }

    /// <summary>Messages before it that were too old, not among the skipped.</summary>
    public long Aged { get; private set; }

    /// <summary>Messages after it.</summary>
    public long Left { get; private set; }

    public bool IsFailed { get; private set; }

    public void Build(int maximumFilters)
    {
        Session session = Read.Session;
        List<TopicFilterText> filters = [.. session.Subscriptions
            .Where(subscription => subscription.Options.QoS > QoS.AtMostOnce && !subscription.Filter.IsShared)
            .Select(subscription => subscription.Filter)];
        MqttOptions options = session.Context.Options;
        From = Read.After;
        AgeSeconds = options.BacklogAgeSeconds;
        Newest = new NewestAsked(options.BacklogMessages, options.BacklogBytes, filters);
        var text = new LogRequestText(_request);
        text.Begin(From);
        text.Filters(filters, maximumFilters);
        text.Age(AgeSeconds);
        text.Newest(options.BacklogMessages, options.BacklogBytes);
    }

    public override void TakeNumbers(long skipped, long left, long aged)
    {
        Aged = aged;
        Skipped = skipped;
        Left = left;
    }

    public override void TakePage(ReadOnlySpan<byte> page, LogPosition upTo, string? error)
    {
        PassedOver = upTo;
        IsFailed = error is not null && error != LogScan.Lost;
    }

    public override void OnAnswer(LoopRouter router) => reader.OnCount(this);
}
