using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>How a group stands at one moment.</summary>
public sealed record BrokerStatistics
{
    /// <summary>The group's name.</summary>
    public required string Name { get; init; }

    /// <summary>The run of the broker; another after each start.</summary>
    public required string Incarnation { get; init; }

    /// <summary>The newest position of the log.</summary>
    public required LogPosition Tail { get; init; }

    /// <summary>The position just before the oldest message kept.</summary>
    public required LogPosition First { get; init; }

    /// <summary>Messages in the log.</summary>
    public required long Messages { get; init; }

    /// <summary>Bytes in the log.</summary>
    public required long Bytes { get; init; }

    /// <summary>Retained messages.</summary>
    public required int RetainedMessages { get; init; }

    /// <summary>Bytes of retained messages, topics included.</summary>
    public required long RetainedBytes { get; init; }

    /// <summary>Subscriptions of links and clients.</summary>
    public required int Subscriptions { get; init; }

    /// <summary>Shared subscriptions, each counted once.</summary>
    public required int Shares { get; init; }

    /// <summary>Publish links connected.</summary>
    public required int PublishLinks { get; init; }

    /// <summary>Receive links connected.</summary>
    public required int ReceiveLinks { get; init; }

    /// <summary>Ordinary clients connected.</summary>
    public required int Clients { get; init; }
}
