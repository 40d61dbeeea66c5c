namespace Trunkline.Loadtest;

/// <summary>Everything one loop measures. Loop thread only, except <see cref="Counters.Expected"/> and <see cref="Counters.Delivered"/>, which the outstanding gate reads.</summary>
internal sealed class LoopFigures
{
    private const int MaximumReasons = 50;
    private const int MaximumLate = 100_000;
    private readonly List<LateArrival> _late = [];
    private readonly Dictionary<string, long> _reasons = new(StringComparer.Ordinal);

    /// <summary>The counters.</summary>
    public Counters Counts;

    /// <summary>From due to received, of messages due within the measured time.</summary>
    public Histogram Delivery { get; } = new();

    /// <summary>The same since the last sample.</summary>
    public Histogram DeliveryOfInterval { get; } = new();

    /// <summary>From due to acknowledged, of messages due within the measured time.</summary>
    public Histogram Acknowledge { get; } = new();

    /// <summary>From due to written by this program: what it adds itself.</summary>
    public Histogram Lag { get; } = new();

    /// <summary>From due to CONNACK.</summary>
    public Histogram Connect { get; } = new();

    /// <summary>From SUBSCRIBE to SUBACK.</summary>
    public Histogram Subscribe { get; } = new();

    /// <summary>Churn: from due to the end of the cycle. Storm: from the drop to standing again.</summary>
    public Histogram Cycle { get; } = new();

    /// <summary>From the loss of a subscriber's connection until it has everything published until it was back.</summary>
    public Histogram Return { get; } = new();

    /// <summary>From due to received at subscribers that never lost their connection.</summary>
    public Histogram Undisturbed { get; } = new();

    /// <summary>With --late: first copies that came later than that, at most 100,000.</summary>
    public IReadOnlyList<LateArrival> Late => _late;

    /// <summary>Begin of the measured time.</summary>
    public long MeasureFromNs { get; set; } = long.MaxValue;

    /// <summary>End of the measured time.</summary>
    public long MeasureToNs { get; set; } = long.MaxValue;

    /// <summary>Why things failed, with how often; at most 50 reasons.</summary>
    public IReadOnlyDictionary<string, long> Reasons => _reasons;

    /// <summary>Whether a message due then counts.</summary>
    public bool IsMeasured(long ns) => ns >= MeasureFromNs && ns < MeasureToNs;

    /// <summary>Counts a reason.</summary>
    public void AddReason(string reason)
    {
        string key = _reasons.Count < MaximumReasons || _reasons.ContainsKey(reason) ? reason : "other reasons";
        _reasons[key] = _reasons.GetValueOrDefault(key) + 1;
    }

    /// <summary>Notes a message that came late.</summary>
    public void AddLate(LateArrival late)
    {
        if (_late.Count < MaximumLate)
        {
            _late.Add(late);
        }
    }

    /// <summary>Adds another loop's; on a copy of which neither loop knows.</summary>
    public void Add(LoopFigures other)
    {
        Counts.Add(other.Counts);
        Delivery.Add(other.Delivery);
        Acknowledge.Add(other.Acknowledge);
        Lag.Add(other.Lag);
        Connect.Add(other.Connect);
        Subscribe.Add(other.Subscribe);
        Cycle.Add(other.Cycle);
        Return.Add(other.Return);
        Undisturbed.Add(other.Undisturbed);
        _late.AddRange(other._late);
        foreach ((string reason, long count) in other._reasons)
        {
            _reasons[reason] = _reasons.GetValueOrDefault(reason) + count;
        }
    }
}
