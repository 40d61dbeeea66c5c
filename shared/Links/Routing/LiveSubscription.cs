using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>
/// What this node keeps per device subscription: from which position of which group it is live. Loop thread only.
/// </summary>
internal sealed class LiveSubscription(SessionSubscription subscription, LocalFilter filter, int group, bool isFedByLog)
{
    private static readonly LogPosition NotLive = new(ulong.MaxValue, ulong.MaxValue);

    private int _group = group;
    private LogPosition _start = NotLive;
    private LogPosition[]? _starts;

    public SessionSubscription Subscription { get; } = subscription;

    public LocalFilter Filter { get; } = filter;

    /// <summary>
    /// Whether messages of foreign groups with a log come to it from there, and not live: its session outlives its
    /// connections. The same for all of a session, for the two have no common order.
    /// </summary>
    public bool IsFedByLog { get; } = isFedByLog;

    /// <summary>Its place in the filter's list; -1 once removed.</summary>
    public int Index { get; set; } = -1;

    public bool IsRemoved => Index < 0;

    /// <summary>Replays of retained messages that are not over, one per group.</summary>
    public int RetainedLeft { get; set; }

    /// <summary>Topics received live while retained messages are still to come; null when none are.</summary>
    public RetainedGuard? Guard { get; set; }

    /// <summary>The position after which it delivers messages of a group; false while it is not live there.</summary>
    public bool TryGetStart(int group, out LogPosition start)
    {
        start = StartAt(group);
        return start.Term != ulong.MaxValue;
    }

    /// <summary>Whether it delivers messages of a group at this position.</summary>
    public bool Accepts(int group, LogPosition position)
    {
        LogPosition start = StartAt(group);
        return start.Term != ulong.MaxValue && (position.IsNone || position > start);
    }

    /// <summary>Whether it is live at a group.</summary>
    public bool IsLiveAt(int group) => Accepts(group, LogPosition.None);

    private LogPosition StartAt(int group) => _starts is not null ? _starts[group] : group == _group ? _start : NotLive;

    /// <summary>Makes it live at a group; the first start stands.</summary>
    public void Activate(int group, LogPosition start, int groups)
    {
        if (IsLiveAt(group))
        {
            return;
        }

        if (_starts is null && (_group == group || _group < 0))
        {
            _group = group;
            _start = start;
            return;
        }

        if (_starts is null)
        {
            _starts = new LogPosition[groups];
            Array.Fill(_starts, NotLive);
            _starts[_group] = _start;
        }

        _starts[group] = start;
    }
}

/// <summary>Keeps an older retained value from following a newer one that came live meanwhile. Loop thread only.</summary>
internal sealed class RetainedGuard(int maximum)
{
    private readonly HashSet<byte[]> _topics = new(TopicBytes.Comparer);

    /// <summary>Replays that are still to end.</summary>
    public int Replays { get; set; }

    public void Saw(ReadOnlySpan<byte> topic)
    {
        if (_topics.Count < maximum)
        {
            _topics.GetAlternateLookup<ReadOnlySpan<byte>>().Add(topic);
        }
    }

    public bool Has(ReadOnlySpan<byte> topic) => _topics.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(topic);
}
