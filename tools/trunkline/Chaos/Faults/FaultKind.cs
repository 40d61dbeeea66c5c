using Trunkline.Tool.Parts;

namespace Trunkline.Tool.Chaos;

/// <summary>What is done to one part.</summary>
internal enum FaultAction
{
    /// <summary>SIGKILL; started again later.</summary>
    Kill,

    /// <summary>SIGTERM; started again later.</summary>
    Stop,

    /// <summary>SIGSTOP; SIGCONT later.</summary>
    Freeze,

    /// <summary>A replica is made master at once, in the place of one that lives; what was not replicated yet is lost.</summary>
    Promote,
}

/// <summary>A fault by name: an action on a kind of part.</summary>
internal sealed record FaultKind(string Name, FaultAction Action, PartKind Target);

/// <summary>The faults there are.</summary>
internal static class FaultKinds
{
    /// <summary>Every fault, in the order of FAULTS rows 1, 2, 4, 6, 11.</summary>
    public static IReadOnlyList<FaultKind> All { get; } =
    [
        new("proxy-kill", FaultAction.Kill, PartKind.Proxy),
        new("broker-kill", FaultAction.Kill, PartKind.Broker),
        new("proxy-stop", FaultAction.Stop, PartKind.Proxy),
        new("broker-stop", FaultAction.Stop, PartKind.Broker),
        new("proxy-freeze", FaultAction.Freeze, PartKind.Proxy),
        new("broker-freeze", FaultAction.Freeze, PartKind.Broker),
        new("redis-kill", FaultAction.Kill, PartKind.Redis),
        new("redis-freeze", FaultAction.Freeze, PartKind.Redis),
        new("promote", FaultAction.Promote, PartKind.Redis),
    ];

    /// <summary>
    /// The faults of these names, with commas between; for null all that a tier with such a Redis can have. Throws a sentence
    /// for an unknown one.
    /// </summary>
    public static IReadOnlyList<FaultKind> Parse(string? names, bool hasReplicas = true) => names is null
        ? [.. All.Where(kind => hasReplicas || kind.Action != FaultAction.Promote)]
        : [.. names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(name =>
            All.FirstOrDefault(kind => kind.Name == name)
            ?? throw new ToolException($"There is no fault '{name}'; there are {string.Join(", ", All.Select(kind => kind.Name))}.", ExitCodes.Usage))];
}

/// <summary>One fault of a schedule: what, to which of the parts of its kind, and for how long it lasts.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Choice">Which part: this number modulo how many there are.</param>
/// <param name="Lasts">From the deed until the part is started again or goes on.</param>
/// <param name="IsPaired">Whether the next fault begins while this one lasts.</param>
internal sealed record Fault(FaultKind Kind, int Choice, TimeSpan Lasts, bool IsPaired);
