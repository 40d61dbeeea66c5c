using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>
/// A device in the test's own process, for what the programs of others cannot show: options of 5.0, exact packets, a
/// thousand connections at once. Every wait has a deadline. Methods may be called from any thread.
/// </summary>
public sealed partial class TestDevice : IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly ConcurrentDictionary<ushort, TaskCompletionSource<IReadOnlyList<ReasonCode>>> _acknowledgements = new();
    private readonly Channel<TestMessage> _messages = System.Threading.Channels.Channel.CreateUnbounded<TestMessage>();
    private readonly ConcurrentQueue<TestMessage> _received = new();
    private readonly TaskCompletionSource<TestConnAck> _connAck = NewSource<TestConnAck>();
    private readonly TaskCompletionSource<ReasonCode?> _closed = NewSource<ReasonCode?>();
    private int _lastPacketId;

    private TestDevice(TestDeviceOptions options, Socket socket, Stream stream)
    {
        Options = options;
        _socket = socket;
        _stream = stream;
    }

    public TestDeviceOptions Options { get; }

    public string ClientId => Options.ClientId;

    /// <summary>The server's answer to CONNECT.</summary>
    public TestConnAck ConnAck => _connAck.Task.Result;

    /// <summary>Everything received so far, in order.</summary>
    public IReadOnlyList<TestMessage> Received => [.. _received];

    public bool IsClosed => _closed.Task.IsCompleted;

    /// <summary>Connects; the test fails when the server refuses.</summary>
    public static async Task<TestDevice> ConnectAsync(TestEndpoint endpoint, TestDeviceOptions? options = null)
    {
        TestDevice device = await TryConnectAsync(endpoint, options);
        Assert.Equal(ReasonCode.Success, device.ConnAck.ReasonCode);
        return device;
    }

    /// <summary>Connects and returns with whatever CONNACK came.</summary>
    public static async Task<TestDevice> TryConnectAsync(TestEndpoint endpoint, TestDeviceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        options ??= new TestDeviceOptions();
        using CancellationTokenSource cancellation = new(options.Deadline);
        (Socket socket, Stream stream) = await endpoint.DialAsync(cancellation.Token);
        TestDevice device = new(options, socket, stream);
        await device.SendAsync(output => WriteConnect(output, options));
        _ = device.ReceiveAllAsync();
        await device.WaitAsync(device._connAck.Task, "CONNACK");
        return device;
    }

    /// <summary>Subscribes one filter and returns what SUBACK says of it.</summary>
    public async Task<ReasonCode> SubscribeAsync(
        string filter,
        QoS qos = QoS.AtMostOnce,
        uint identifier = 0,
        bool noLocal = false,
        bool retainAsPublished = false,
        RetainHandling retainHandling = RetainHandling.SendAtSubscribe)
    {
        SubscriptionOptions subscription = SubscriptionOptions.Create(qos, noLocal, retainAsPublished, retainHandling);
        return (await AskAsync(
            $"SUBACK for {filter}",
            (output, id) => PacketWriter.WriteSubscribe(output, Options.Version, id, Encoding.UTF8.GetBytes(filter), subscription, identifier)))[0];
    }

    /// <summary>Subscribes many filters in one SUBSCRIBE.</summary>
    public Task<IReadOnlyList<ReasonCode>> SubscribeAsync(IReadOnlyList<string> filters, QoS qos) => AskAsync(
        "SUBACK",
        (output, id) =>
        {
            SubscriptionListBuilder builder = new(new byte[filters.Sum(filter => Encoding.UTF8.GetByteCount(filter) + 3)]);
            foreach (string filter in filters)
            {
                Assert.True(builder.TryAdd(Encoding.UTF8.GetBytes(filter), SubscriptionOptions.Create(qos)));
            }

            return PacketWriter.WriteSubscribe(output, Options.Version, new SubscribePacket { PacketId = id, Subscriptions = builder.List });
        });

    /// <summary>Unsubscribes and returns when UNSUBACK came.</summary>
    public Task UnsubscribeAsync(string filter) => AskAsync(
        "UNSUBACK", (output, id) => PacketWriter.WriteUnsubscribe(output, Options.Version, id, Encoding.UTF8.GetBytes(filter)));

    /// <summary>Publishes; at QoS 1 and 2 returns the reason of PUBACK, or of PUBREC when it refuses, else of PUBCOMP.</summary>
    public async Task<ReasonCode> PublishAsync(TestMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (message.QoS == QoS.AtMostOnce)
        {
            await SendAsync(output => WritePublish(output, message, 0));
            return ReasonCode.Success;
        }

        return (await AskAsync($"acknowledgement of {message}", (output, id) => WritePublish(output, message, id)))[0];
    }

    public Task<ReasonCode> PublishAsync(string topic, string payload, QoS qos = QoS.AtMostOnce, bool retain = false) =>
        PublishAsync(new TestMessage(topic, payload, qos, retain));

    /// <summary>The next message not yet asked for.</summary>
    public async Task<TestMessage> ReceiveAsync() => await WaitAsync(_messages.Reader.ReadAsync().AsTask(), "a message");

    /// <summary>The messages from the next one up to the first that holds this text, without that one.</summary>
    public async Task<IReadOnlyList<TestMessage>> ReceiveUntilAsync(string text)
    {
        List<TestMessage> messages = [];
        while (true)
        {
            TestMessage message = await ReceiveAsync();
            if (message.Text == text)
            {
                return messages;
            }

            messages.Add(message);
        }
    }

    /// <summary>Why the server ended the connection: the reason of DISCONNECT, or null when it only closed.</summary>
    public Task<ReasonCode?> AwaitClosedAsync() => WaitAsync(_closed.Task, "the end of the connection");

    /// <summary>DISCONNECT, then the end of the connection.</summary>
    public async Task DisconnectAsync(ReasonCode reason = ReasonCode.Success)
    {
        await SendAsync(output => PacketWriter.WriteDisconnect(output, Options.Version, new DisconnectPacket { ReasonCode = reason }));
        await AwaitClosedAsync();
    }

    /// <summary>Ends the connection as a device that lost power and came back: RST, no DISCONNECT.</summary>
    public void Kill()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    /// <summary>Sends bytes as they are.</summary>
    public Task SendRawAsync(byte[] bytes) => SendAsync(output => output.Write(bytes));

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _closed.Task;
        await _stream.DisposeAsync();
        _writing.Dispose();
    }

    private static TaskCompletionSource<T> NewSource<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
