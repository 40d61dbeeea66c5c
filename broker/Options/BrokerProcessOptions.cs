using Trunkline.Broker;
using Trunkline.Hosting;
using Trunkline.Hosting.Configuration;
using Trunkline.Hosting.Management;
using Trunkline.Hosting.Memory;
using Trunkline.Sessions;

namespace Trunkline.BrokerProcess;

/// <summary>Everything that can be set of a broker; the properties are the keys of docs/CONFIGURATION.md.</summary>
internal sealed record BrokerProcessOptions
{
    /// <summary>Name of the group this broker is.</summary>
    public string Group { get; init; } = "group-0";

    /// <summary>Milliseconds a stopping broker waits until its clients have taken their last bytes.</summary>
    public int CloseGraceMs { get; init; } = 2_000;

    /// <summary>The listeners; without any, TCP on 127.0.0.1:1884.</summary>
    public IReadOnlyList<ListenerOptions> Listeners { get; init; } = [];

    /// <summary>The management port.</summary>
    public ManagementOptions Management { get; init; } = new() { Address = "127.0.0.1:8081" };

    /// <summary>How much memory is left free; links are let in all the same.</summary>
    public MemoryOptions Memory { get; init; } = new();

    /// <summary>Log, retained messages, shares and their limits.</summary>
    public BrokerOptions Broker { get; init; } = new();

    /// <summary>What clients are offered; links get more room on top.</summary>
    public MqttOptions Mqtt { get; init; } = new();

    /// <summary>Logging.</summary>
    public LoggingOptions Logging { get; init; } = new();
}
