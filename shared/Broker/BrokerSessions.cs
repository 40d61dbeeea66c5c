using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>What the sessions of a broker need that those of devices do not.</summary>
public static class BrokerSessions
{
    /// <summary>Bytes that our user property and the subscription identifiers add to a device's largest message.</summary>
    private const int LinkOverheadBytes = 256 * 1024;

    /// <summary>
    /// The options of a broker's sessions: those of <paramref name="device"/>, with room for links, which carry many devices'
    /// filters and messages each.
    /// </summary>
    public static MqttOptions OptionsFor(MqttOptions device) => device with
    {
        MaximumPacketSize = int.Min(device.MaximumPacketSize + LinkOverheadBytes, 268_435_460),
        ReceiveMaximum = 65_535,
        MaximumIncomingExchanges = 65_535,
        MaximumSubscriptions = 10_000_000,
        MaximumWaitingOperations = 65_535,
        TopicAliasMaximum = 0,
        OutboundTopicAliasMaximum = 0,
    };
}
