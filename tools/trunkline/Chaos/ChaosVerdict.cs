using System.Text.Json;

namespace Trunkline.Tool.Chaos;

/// <summary>What came of a run; printed as JSON. Its names are a contract.</summary>
internal sealed record ChaosVerdict
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Whether every promise held.</summary>
    public bool Passed => Lost == 0 && Duplicates == 0 && OrderViolations == 0 && SessionsLost == 0 && WillsMissing == 0 && WillsWrong == 0 && Acknowledged > 0;

    public required int Seed { get; init; }

    public required double Seconds { get; init; }

    /// <summary>The faults that were brought about, in order.</summary>
    public required IReadOnlyList<string> Faults { get; init; }

    public required int Acknowledged { get; init; }

    public required int Delivered { get; init; }

    /// <summary>Publishes answered with a refusal; never one that was kept.</summary>
    public required int Refused { get; init; }

    /// <summary>Acknowledged and not delivered.</summary>
    public required int Lost { get; init; }

    /// <summary>QoS 2 messages delivered more than once.</summary>
    public required int Duplicates { get; init; }

    /// <summary>QoS 1 messages delivered more than once: allowed.</summary>
    public required int Repeats { get; init; }

    public required int OrderViolations { get; init; }

    public required int SessionsLost { get; init; }

    public required int WillsDue { get; init; }

    public required int WillsMissing { get; init; }

    public required int WillsWrong { get; init; }

    /// <summary>Seconds from the end of the last fault until everything acknowledged had come; null when it did not.</summary>
    public required double? SettledAfterSeconds { get; init; }

    /// <summary>What was wrong, the first of it.</summary>
    public required IReadOnlyList<string> Examples { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, Json);
}
