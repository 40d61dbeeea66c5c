using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>How much traffic a <see cref="Traffic"/> makes.</summary>
public sealed record TrafficOptions
{
    /// <summary>First level of its topics: traffics of several tests share a tier.</summary>
    public required string Name { get; init; }

    /// <summary>Publishers; each has a subscriber of its own at the next proxy.</summary>
    public int Pairs { get; init; } = 4;

    /// <summary>Qualities of service each publisher uses, a topic of its own for each.</summary>
    public IReadOnlyList<QoS> QualitiesOfService { get; init; } = [QoS.AtLeastOnce, QoS.ExactlyOnce];

    /// <summary>Topics per publisher and QoS: enough that both groups have some.</summary>
    public int Topics { get; init; } = 3;

    /// <summary>Seconds the subscribers' sessions outlive their connections.</summary>
    public uint SubscriberExpirySeconds { get; init; }

    /// <summary>Messages of one stream that may wait for their acknowledgement.</summary>
    public int Window { get; init; } = 8;

    /// <summary>Pause between two messages of one stream.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(20);
}
