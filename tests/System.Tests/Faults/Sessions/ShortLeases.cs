namespace Trunkline.SystemTests.Faults;

/// <summary>Settings of proxies whose deaths show soon.</summary>
internal static class ShortLeases
{
    public static IReadOnlyList<string> Settings { get; } =
    [
        "Directory:LeaseMs=2000",
        "Directory:LeaseRaiseIntervalMs=400",
        "Directory:TakeOverDeadlineMs=500",
        "Directory:OperationDeadlineMs=1000",
        "Directory:ReconnectMaxMs=500",
        "Directory:RecoveringGraceMs=1000",
        "Node:CheckpointIntervalMs=300",
    ];
}
