using System.Net.Sockets;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Publishers that go on until told to stop, subscribers at other proxies (one a publisher, and one for all at each
/// proxy), and the ledger that judges what came of it.
/// </summary>
public sealed class Traffic : IAsyncDisposable
{
    private readonly TrafficOptions _options;
    private readonly List<FaultDevice> _publishers = [];
    private readonly Dictionary<FaultDevice, Func<string, bool>> _subscribers = [];
    private readonly List<Task> _streams = [];
    private readonly List<string> _names = [];
    private readonly CancellationTokenSource _stop = new();
    private int _refused;

    private Traffic(TrafficOptions options) => _options = options;

    public DeliveryLedger Ledger { get; } = new();

    /// <summary>Publishes that were answered with an error.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>Devices whose connection ended, with how.</summary>
    public IReadOnlyList<string> Disconnected =>
    [
        .. _publishers.Concat(_subscribers.Keys)
            .Where(device => !device.IsConnected)
            .Select(device => $"{device.ClientId}: {device.Ended.GetAwaiter().GetResult()}"),
    ];

    public static async Task<Traffic> StartAsync(IReadOnlyList<int> ports, TrafficOptions options)
    {
        Traffic traffic = new(options);
        try
        {
            for (int n = 0; n < ports.Count; n++)
            {
                await traffic.SubscribeAsync(ports[n], $"{options.Name}-all-{n}", $"{options.Name}/#", _ => true);
            }

            for (int n = 0; n < options.Pairs; n++)
            {
                string of = $"{options.Name}/{n}/";
                await traffic.SubscribeAsync(
                    ports[(n + 1) % ports.Count], $"{options.Name}-s{n}", of + "#", stream => stream.StartsWith(of, StringComparison.Ordinal));
            }

            for (int n = 0; n < options.Pairs; n++)
            {
                traffic._publishers.Add(await FaultDevice.ConnectAsync(ports[n % ports.Count], new DeviceOptions
                {
                    ClientId = $"{options.Name}-p{n}",
                    // Both versions have their own way through the proxy.
                    Version = n % 2 == 0 ? ProtocolVersion.Mqtt50 : ProtocolVersion.Mqtt311,
                }));
            }
        }
        catch
        {
            await traffic.DisposeAsync();
            throw;
        }

        for (int n = 0; n < options.Pairs; n++)
        {
            foreach (QoS qos in options.QualitiesOfService)
            {
                for (int topic = 0; topic < options.Topics; topic++)
                {
                    string stream = $"{options.Name}/{n}/{(int)qos}/{topic}";
                    traffic._names.Add(stream);
                    traffic._streams.Add(traffic.PublishAsync(traffic._publishers[n], stream, qos));
                }
            }
        }

        return traffic;
    }

    /// <summary>Returns when so many more messages were acknowledged than now, whatever their group.</summary>
    public Task FlowsAsync(int messages, TimeSpan? deadline = null)
    {
        int goal = Ledger.Acknowledged + messages;
        return Eventually.HoldsAsync(
            () => Ledger.Acknowledged >= goal || Disconnected.Count > 0,
            () => $"{Ledger.Acknowledged} acknowledged, {goal} awaited",
            deadline);
    }

    /// <summary>Returns when every stream got so many more acknowledgements: all groups take messages from all proxies.</summary>
    public Task EveryStreamFlowsAsync(int messages, TimeSpan? deadline = null)
    {
        Dictionary<string, int> goals = _names.ToDictionary(name => name, name => Ledger.AcknowledgedOf(name) + messages);
        return Eventually.HoldsAsync(
            () => goals.All(goal => Ledger.AcknowledgedOf(goal.Key) >= goal.Value) || Disconnected.Count > 0,
            () => Summary([.. goals.Where(goal => Ledger.AcknowledgedOf(goal.Key) < goal.Value).Select(goal => $"{goal.Key} stands still")]),
            deadline);
    }

    /// <summary>Stops publishing, waits for what is under way, and returns when every acknowledged message came.</summary>
    public async Task FinishAsync(TimeSpan? deadline = null)
    {
        await _stop.CancelAsync();
        await Eventually.InTimeAsync(Task.WhenAll(_streams), "the acknowledgements of what is under way", deadline);
        await Eventually.HoldsAsync(() => Missing().Count == 0, () => Summary(Missing()), deadline);
    }

    /// <summary>Acknowledged and not delivered.</summary>
    public IReadOnlyList<string> Missing() =>
        [.. _subscribers.SelectMany(pair => Ledger.Missing(pair.Key.ClientId, pair.Value))];

    /// <summary>The promises of a fault that costs nobody anything.</summary>
    public void AssertUnharmed()
    {
        Assert.Empty(Disconnected);
        Assert.Empty(Missing());
        Assert.Empty(Ledger.OrderViolations());
        Assert.Empty(Ledger.DuplicatesOfQoS2());
        Assert.Equal(0, Refused);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (FaultDevice device in _publishers.Concat(_subscribers.Keys))
        {
            await device.DisposeAsync();
        }

        await Task.WhenAll(_streams);
        _stop.Dispose();
    }

    private static string Summary(IReadOnlyList<string> lines) =>
        $"{lines.Count}: {string.Join(", ", lines.Take(20))}";

    private async Task SubscribeAsync(int port, string clientId, string filter, Func<string, bool> isWanted)
    {
        FaultDevice device = await FaultDevice.ConnectAsync(port, new DeviceOptions
        {
            ClientId = clientId,
            SessionExpirySeconds = _options.SubscriberExpirySeconds,
        });
        _subscribers.Add(device, isWanted);
        device.OnMessage = message => Ledger.Deliver(clientId, message);
        ReasonCode granted = await device.SubscribeAsync(filter, QoS.ExactlyOnce);
        Assert.Equal(ReasonCode.GrantedQoS2, granted);
    }

    private async Task PublishAsync(FaultDevice device, string stream, QoS qos)
    {
        Queue<Task> window = new();
        for (int number = 1; !_stop.IsCancellationRequested && device.IsConnected; number++)
        {
            try
            {
                Task<ReasonCode> answer = await device.StartPublishAsync(stream, DeliveryLedger.Payload(stream, number), qos);
                window.Enqueue(NoteAsync(answer, stream, number));
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // The device shows as disconnected.
                break;
            }

            if (window.Count >= _options.Window)
            {
                await window.Dequeue();
            }

            if (_options.Pause > TimeSpan.Zero)
            {
                await Task.Delay(_options.Pause, CancellationToken.None);
            }
        }

        await Task.WhenAll(window);
    }

    private async Task NoteAsync(Task<ReasonCode> answer, string stream, int number)
    {
        ReasonCode code = await answer;
        if (code is ReasonCode.Success or ReasonCode.NoMatchingSubscribers)
        {
            Ledger.Acknowledge(stream, number);
        }
        else
        {
            Interlocked.Increment(ref _refused);
        }
    }
}
