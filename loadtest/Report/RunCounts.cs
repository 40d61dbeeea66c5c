namespace Trunkline.Loadtest;

/// <summary>Counters of a whole run, warm-up included.</summary>
internal sealed record RunCounts
{
    /// <summary>Messages published, without repeats.</summary>
    public long Published { get; init; }

    /// <summary>Sent again after a lost connection.</summary>
    public long Repeated { get; init; }

    /// <summary>Acknowledged by the server.</summary>
    public long Acknowledged { get; init; }

    /// <summary>Acknowledged with a refusal.</summary>
    public long Refused { get; init; }

    /// <summary>Due and never sent.</summary>
    public long Backlog { get; init; }

    /// <summary>Deliveries that had to come.</summary>
    public long Expected { get; init; }

    /// <summary>First copies that came.</summary>
    public long Delivered { get; init; }

    /// <summary>Deliveries that never came.</summary>
    public long Lost { get; init; }

    /// <summary>Further copies.</summary>
    public long Duplicates { get; init; }

    /// <summary>First copies after a later message.</summary>
    public long Reordered { get; init; }

    /// <summary>Messages of others.</summary>
    public long Foreign { get; init; }

    /// <summary>Connections that came to stand, repeats included.</summary>
    public long Connects { get; init; }

    /// <summary>Attempts that failed.</summary>
    public long ConnectFailures { get; init; }

    /// <summary>Connections lost.</summary>
    public long Disconnects { get; init; }

    /// <summary>Cycles of churn within the measured time.</summary>
    public long Cycles { get; init; }
}
