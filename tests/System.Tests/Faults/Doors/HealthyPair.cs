using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Two devices that mind their own business beside a hostile one: one publishes, the other listens to everything. What
/// hostile input got through shows at the listener.
/// </summary>
public sealed class HealthyPair : IAsyncDisposable
{
    private readonly FaultDevice _publisher;
    private readonly FaultDevice _listener;
    private readonly string _topic;
    private int _sent;

    private HealthyPair(FaultDevice publisher, FaultDevice listener, string topic)
    {
        _publisher = publisher;
        _listener = listener;
        _topic = topic;
    }

    public static async Task<HealthyPair> ConnectAsync(int port, string name)
    {
        FaultDevice listener = await FaultDevice.ConnectAsync(port, new DeviceOptions { ClientId = name + "-listener" });
        await listener.SubscribeAsync("#", QoS.AtLeastOnce);
        FaultDevice publisher = await FaultDevice.ConnectAsync(port, new DeviceOptions { ClientId = name + "-publisher" });
        return new HealthyPair(publisher, listener, "healthy/" + name);
    }

    /// <summary>A message goes through, both devices are connected, and nothing but the healthy device's messages ever came.</summary>
    public async Task AssertUndisturbedAsync()
    {
        await AssertServedAsync();

        // What another test's device asked to be retained comes with the flag.
        Assert.All(_listener.Received.Where(message => !message.Retain), message => Assert.StartsWith("healthy/", message.Topic, StringComparison.Ordinal));
    }

    /// <summary>A message goes through, and both devices are connected.</summary>
    public async Task AssertServedAsync()
    {
        string payload = $"{++_sent}";
        Assert.Equal(ReasonCode.Success, await _publisher.PublishAsync(_topic, payload));
        await Eventually.HoldsAsync(
            () => _listener.Received.Any(message => message.Topic == _topic && message.Payload == payload),
            () => $"the healthy device's message {payload} arrives");
        Assert.True(_publisher.IsConnected && _listener.IsConnected);
    }

    public async ValueTask DisposeAsync()
    {
        await _publisher.DisposeAsync();
        await _listener.DisposeAsync();
    }
}
