namespace Trunkline.Loadtest;

/// <summary>One client of a plan.</summary>
internal sealed record ClientSpec
{
    /// <summary>Number in its role, as %i shows it.</summary>
    public required int Number { get; init; }

    /// <summary>Client id.</summary>
    public required string ClientId { get; init; }

    /// <summary>Index of its target.</summary>
    public required int Target { get; init; }

    /// <summary>Index among all clients: chooses loop and source address.</summary>
    public required int Index { get; init; }

    /// <summary>User name; null for none.</summary>
    public string? UserName { get; init; }

    /// <summary>What it subscribes; null for nothing.</summary>
    public string? Filter { get; init; }

    /// <summary>What it publishes to; null for nothing.</summary>
    public string? Topic { get; init; }

    /// <summary>Its number among the publishers, -1 for none: stands in the payload.</summary>
    public int Publisher { get; init; } = -1;
}
