using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>
/// What this node keeps per device subscription: from which position of which group it is live. Loop thread only.
/// </summary>
internal sealed class LiveSubscription(SessionSubscription subscription, LocalFilter filter, int group, bool isFedByLog)
{
    private static readonly LogPosition NotLive = new(ulong.MaxValue, ulong.MaxValue);

    private LogPosition _start = NotLive;
    private Rare? _rare;
    private short _group = (short)group;
    private short _retainedLeft;

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

    /// <summary>Shared only: messages its session has of the share, not reported done.</summary>
    public int HandedOut
    {
        get => _rare?.HandedOut ?? 0;
        set
        {
            if (value != 0 || _rare is not null)
            {
                (_rare ??= new Rare()).HandedOut = value;
            }
        }
    }

    /// <summary>Replays of retained messages that are not over, one per group and SUBSCRIBE; counted up to 32,767.</summary>
    public int RetainedLeft
    {
        get => _retainedLeft;
        set => _retainedLeft = (short)int.Min(value, short.MaxValue);
    }

    /// <summary>Topics received live while retained messages are still to come; null when none are.</summary>
    public RetainedGuard? Guard
    {
        get => _rare?.Guard;
        set
        {
            if (value is not null || _rare is not null)
            {
                (_rare ??= new Rare()).Guard = value;
            }
        }
    }

    private LogPosition[]? Starts => _rare?.Starts;

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

    private LogPosition StartAt(int group) => Starts is { } starts ? starts[group] : group == _group ? _start : NotLive;

    /// <summary>Makes it live at a group; the first start stands.</summary>
    public void Activate(int group, LogPosition start, int groups)
    {
        if (IsLiveAt(group))
        {
            return;
        }

        LogPosition[]? starts = Starts;
        if (starts is null && (_group == group || _group < 0))
        {
            _group = (short)group;
            _start = start;
            return;
        }

        if (starts is null)
        {
            starts = new LogPosition[groups];
            Array.Fill(starts, NotLive);
            starts[_group] = _start;
            (_rare ??= new Rare()).Starts = starts;
        }

        starts[group] = start;
    }

    /// <summary>What few need: the starts at several groups, the guard, and what a share handed out.</summary>
    private sealed class Rare
    {
        public LogPosition[]? Starts;
        public RetainedGuard? Guard;
        public int HandedOut;
    }
}

/// <summary>Keeps an older retained value from following a newer one that came live meanwhile. Loop thread only.</summary>
internal sealed class RetainedGuard(int maximum)
{
    private readonly HashSet<byte[]> _topics = new(TopicBytes.Comparer);

    private Queue<FilterRequest>? _pages;

    /// <summary>Replays that are still to end.</summary>
    public int Replays { get; set; }

    /// <summary>The page of a replay that is to be delivered next; null while none waits.</summary>
    public FilterRequest? Next => _pages is not null && _pages.TryPeek(out FilterRequest? page) ? page : null;

    /// <summary>When the session last took a page, or the first one came, on the loop's clock.</summary>
    public long TakenMs { get; private set; }

    /// <summary>Whether the router looks at it again when the session may have room.</summary>
    public bool IsListed { get; set; }

    /// <summary>Whether the session let others wait too long: nothing more of its replays is delivered.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>A page waits; its bytes are bounded by the receiver.</summary>
    public void Add(FilterRequest page, long nowMs)
    {
        _pages ??= new Queue<FilterRequest>();
        TakenMs = _pages.Count == 0 ? nowMs : TakenMs;
        _pages.Enqueue(page);
    }

    public void Take(long nowMs)
    {
        _pages!.Dequeue();
        TakenMs = nowMs;
    }

    /// <summary>A newer value came live. Returns whether its topic is remembered: beyond the limit a further one is not.</summary>
    public bool Saw(ReadOnlySpan<byte> topic)
    {
        if (_topics.Count >= maximum)
        {
            return Has(topic);
        }

        _topics.GetAlternateLookup<ReadOnlySpan<byte>>().Add(topic);
        return true;
    }

    public bool Has(ReadOnlySpan<byte> topic) => _topics.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(topic);
}
