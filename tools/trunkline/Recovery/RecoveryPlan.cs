namespace Trunkline.Tool.Recovery;

/// <summary>What a recovery is measured with.</summary>
internal sealed record RecoveryPlan
{
    /// <summary>Subscribers on the proxy that dies; as many are on another one.</summary>
    public required int Devices { get; init; }

    /// <summary>Messages a second over all devices.</summary>
    public required double Rate { get; init; }

    /// <summary>Time until the killed process is started again.</summary>
    public required TimeSpan Away { get; init; }

    /// <summary>First port of the tier.</summary>
    public required int BasePort { get; init; }
}
