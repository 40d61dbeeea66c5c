using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// An MQTT device over a raw socket that records all that matters in a fault: what was acknowledged, what came, how the
/// connection ended. It never connects again by itself: a device that lost its connection shows.
/// </summary>
/// <remarks>Files: FaultDevice.Send (what the test asks for), FaultDevice.Receive (the loop that reads), FaultDevice.InOrder (that of a client with several connections).</remarks>
public sealed partial class FaultDevice : IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly DeviceOptions _options;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly TaskCompletionSource<ReasonCode> _connected = NewSource<ReasonCode>();
    private readonly TaskCompletionSource<DeviceEnd> _ended = NewSource<DeviceEnd>();
    private readonly ConcurrentQueue<ReceivedMessage> _received = new();
    private readonly ConcurrentDictionary<ushort, TaskCompletionSource<ReasonCode>> _open = new();
    private readonly ConcurrentDictionary<ushort, byte> _publishes = new();
    private readonly ConcurrentDictionary<ushort, byte> _inbound;
    private readonly List<FaultDevice> _connections;
    private SemaphoreSlim _quota = new(ushort.MaxValue);
    private volatile TaskCompletionSource? _readingHeld;
    private TaskCompletionSource? _pong;
    private string _refusal = "";
    private int _lastPacketId;
    private Task _loop = Task.CompletedTask;
    private bool _isDisposed;

    private FaultDevice(DeviceOptions options)
    {
        _options = options;
        OnMessage = options.OnMessage;
        _inbound = options.GoesOnFrom?._inbound ?? new ConcurrentDictionary<ushort, byte>();
        _connections = options.GoesOnFrom?._connections ?? [];
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (options.ReceiveBufferBytes > 0)
        {
            _socket.ReceiveBufferSize = options.ReceiveBufferBytes;
        }

        if (!options.From.Equals(IPAddress.Loopback))
        {
            _socket.Bind(new IPEndPoint(options.From, 0));
        }
    }

    public string ClientId => _options.ClientId;

    /// <summary>Where it connects from, as logs write it.</summary>
    public string Address => _socket.LocalEndPoint?.ToString() ?? "";

    public bool IsConnected => !_ended.Task.IsCompleted;

    /// <summary>What CONNACK said of it.</summary>
    public bool IsSessionPresent { get; private set; }

    /// <summary>Completes when the connection is over, whoever ended it.</summary>
    public Task<DeviceEnd> Ended => _ended.Task;

    /// <summary>All messages so far, in the order they came; QoS 2 once by the rules of the protocol.</summary>
    public IReadOnlyCollection<ReceivedMessage> Received => _received;

    /// <summary>Called for each message on the reading thread, if set.</summary>
    public Action<ReceivedMessage>? OnMessage { get; set; }

    /// <summary>Connects and returns when CONNACK came; throws <see cref="ConnectRefusedException"/> when it refuses.</summary>
    public static async Task<FaultDevice> ConnectAsync(int port, DeviceOptions options)
    {
        FaultDevice device = new(options);
        try
        {
            await device._socket.ConnectAsync(IPAddress.Loopback, port);
            device._loop = options.ReadsInOrder ? device.ReceiveInOrderAsync() : device.ReceiveAsync();
            await device.SendAsync(Packets.Connect(options));
            ReasonCode code = await Eventually.InTimeAsync(device._connected.Task, $"CONNACK for {options.ClientId}");
            return code == ReasonCode.Success ? device : throw new ConnectRefusedException(code, device._refusal);
        }
        catch
        {
            await device.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops reading until the result is disposed: the kernel's buffers fill, then the sender's.</summary>
    public IDisposable HoldReading()
    {
        TaskCompletionSource held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _readingHeld = held;
        return new Held(this, held);
    }

    /// <summary>The messages, once there are so many.</summary>
    public async Task<IReadOnlyList<ReceivedMessage>> AwaitMessagesAsync(int count, TimeSpan? deadline = null)
    {
        await Eventually.HoldsAsync(() => _received.Count >= count, () => $"{ClientId} has {_received.Count} of {count} messages", deadline);
        return [.. _received];
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _readingHeld?.TrySetResult();
        _socket.Dispose();
        await _loop;
        _writing.Dispose();
        _quota.Dispose();
    }

    private static TaskCompletionSource<T> NewSource<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Held(FaultDevice device, TaskCompletionSource held) : IDisposable
    {
        public void Dispose()
        {
            device._readingHeld = null;
            held.TrySetResult();
        }
    }
}
