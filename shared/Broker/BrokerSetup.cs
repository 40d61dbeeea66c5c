using Microsoft.Extensions.Logging;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>What a group is made of.</summary>
public sealed record BrokerSetup
{
    /// <summary>The group's name, for logs and statistics.</summary>
    public required string Name { get; init; }

    /// <summary>The limits.</summary>
    public required BrokerOptions Options { get; init; }

    /// <summary>The session context of this group alone; its loop is the group's loop.</summary>
    public required SessionContext Context { get; init; }

    /// <summary>The folder of a group that keeps its log on disk; null for one in memory, or when <see cref="Log"/> is given.</summary>
    public GroupStore? Store { get; init; }

    /// <summary>The log; null for that of <see cref="Store"/>, or for one in memory.</summary>
    public IGroupLog? Log { get; init; }

    /// <summary>Where events are logged; null for nowhere.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>The version that $SYS/broker/version says.</summary>
    public string Version { get; init; } = "0";

    /// <summary>Names this run of the broker; null for a random one.</summary>
    public string? Incarnation { get; init; }
}
