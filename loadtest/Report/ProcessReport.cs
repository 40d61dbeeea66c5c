namespace Trunkline.Loadtest;

/// <summary>What a process cost.</summary>
internal sealed record ProcessReport
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its process ids.</summary>
    public required IReadOnlyList<int> Pids { get; init; }

    /// <summary>CPU time of the measured time, in seconds.</summary>
    public required double CpuSeconds { get; init; }

    /// <summary>The same as a share of one core.</summary>
    public required double CpuShare { get; init; }

    /// <summary>CPU microseconds per unit: a delivered message, a published one (pub), a cycle (churn), a connection back (storm).</summary>
    public double? CpuUsPerUnit { get; init; }

    /// <summary>Memory before the first connection.</summary>
    public required long RssBefore { get; init; }

    /// <summary>Memory with all connected.</summary>
    public required long RssConnected { get; init; }

    /// <summary>Memory at the end.</summary>
    public required long RssEnd { get; init; }

    /// <summary>The most seen.</summary>
    public required long RssPeak { get; init; }

    /// <summary>Growth from before to connected, per connection.</summary>
    public double? RssPerConnection { get; init; }

    /// <summary>It, or a part of it, ended during the run: the figures are not whole.</summary>
    public bool IsGone { get; init; }
}
