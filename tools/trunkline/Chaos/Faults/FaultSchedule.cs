namespace Trunkline.Tool.Chaos;

/// <summary>The faults of one seed, one after the other without end: the same seed gives the same faults.</summary>
internal sealed class FaultSchedule(ChaosOptions options)
{
    private readonly Random _random = new(options.Seed);

    /// <summary>The next fault.</summary>
    public Fault Next()
    {
        FaultKind kind = options.Faults[_random.Next(options.Faults.Count)];
        int choice = _random.Next(1 << 16);

        // Half of them come back as soon as they can: a quick restart meets other races than a long absence.
        TimeSpan lasts = _random.Next(2) == 0 ? TimeSpan.Zero : options.LongestAway * _random.NextDouble();
        return new Fault(kind, choice, lasts, _random.NextDouble() < options.PairShare);
    }
}
