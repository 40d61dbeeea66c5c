using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Tool.Chaos;

/// <summary>
/// One device that comes back: dials a proxy, connects with Clean Start 0, hands frames to its owner until the connection
/// ends, then dials again, maybe elsewhere. Sending may be called from any thread.
/// </summary>
internal sealed class ChaosClient(ChaosClientOptions options, IChaosClientOwner owner, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan AnswerDeadline = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _firstConnect = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Socket? _socket;
    private volatile bool _isOpen;
    private Task _running = Task.CompletedTask;

    public string ClientId => options.ClientId;

    public ProtocolVersion Version => options.Version;

    /// <summary>Whether CONNACK came on the connection of now.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>The port of the connection of now.</summary>
    public int Port { get; private set; }

    /// <summary>Starts and returns when it is connected for the first time.</summary>
    public Task StartAsync()
    {
        _running = RunAsync();
        return _firstConnect.Task;
    }

    /// <summary>Sends bytes if there is a connection; false when there is none or it just ended.</summary>
    public async Task<bool> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        Socket? socket = _socket;
        if (socket is null || bytes.IsEmpty)
        {
            return socket is not null;
        }

        await _writing.WaitAsync();
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await socket.SendAsync(bytes)..];
            }

            return true;
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Ends the connection of now without a word; it dials again unless stopped.</summary>
    public void Cut() => Close(_socket);

    /// <summary>DISCONNECT, then the end from the server's side; it dials again unless stopped.</summary>
    public async Task DisconnectAsync()
    {
        Socket? socket = _socket;
        if (socket is null || !await SendAsync(FixedFrames.Disconnect3.ToArray()))
        {
            return;
        }

        try
        {
            // No reset here: it would take the DISCONNECT with it. The server closes, and the receiving side hears that.
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The connection ended meanwhile.
        }
    }

    /// <summary>Dials no more; with <paramref name="cut"/> the connection is cut, else it ended before.</summary>
    public async Task StopAsync(bool cut)
    {
        await _stop.CancelAsync();
        if (cut)
        {
            Cut();
        }

        await _running;
    }

    public void Dispose()
    {
        _stop.Dispose();
        _writing.Dispose();
        _socket?.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await ConnectAndReceiveAsync();
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException or IOException)
            {
                // The loss is what this run is about: the ledger judges what came of it.
            }
            finally
            {
                Socket? socket = _socket;
                _socket = null;
                if (_isOpen)
                {
                    _isOpen = false;
                    owner.Lost();
                }

                Close(socket);
            }

            await Task.Delay(options.RetryPause, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _firstConnect.TrySetCanceled();
    }

    private async Task ConnectAndReceiveAsync()
    {
        Port = options.ChoosePort();
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket = socket;
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(AnswerDeadline);
        await socket.ConnectAsync(IPAddress.Loopback, Port, patience.Token);
        ArrayBufferWriter<byte> output = new();
        WriteConnect(output);
        await SendAsync(output.WrittenMemory);
        byte[] buffer = new byte[4096];
        int held = 0;
        while (true)
        {
            output.ResetWrittenCount();
            int count = await socket.ReceiveAsync(buffer.AsMemory(held), _isOpen ? CancellationToken.None : patience.Token);
            if (count == 0)
            {
                return;
            }

            held += count;
            int used = Take(buffer.AsSpan(0, held), output);
            buffer.AsSpan(used, held - used).CopyTo(buffer);
            held -= used;
            if (held == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }

            if (output.WrittenCount > 0 && !await SendAsync(output.WrittenMemory.ToArray()))
            {
                return;
            }

            if (_isOpen)
            {
                _firstConnect.TrySetResult();
            }
        }
    }

    private int Take(ReadOnlySpan<byte> bytes, ArrayBufferWriter<byte> output)
    {
        int used = 0;
        while (FrameReader.TryRead(bytes[used..], 0, options.Version, out Frame frame, out ProtocolError error) is FrameStatus status
            && status != FrameStatus.NeedMore)
        {
            if (status != FrameStatus.Complete)
            {
                throw new IOException($"{ClientId} got a malformed frame: {error.Message}");
            }

            used += frame.TotalLength;
            if (frame.Type == PacketType.ConnAck)
            {
                if (!ConnAckPacket.TryParse(frame, options.Version, out ConnAckPacket packet, out _) || packet.ReasonCode != ReasonCode.Success)
                {
                    throw new IOException($"{ClientId} was refused.");
                }

                _isOpen = true;
                owner.Connected(packet.SessionPresent, output);
            }
            else
            {
                owner.Received(frame, output);
            }
        }

        return used;
    }

    private void WriteConnect(IBufferWriter<byte> output) => PacketWriter.WriteConnect(output, new ConnectPacket
    {
        Version = options.Version,
        CleanStart = false,
        KeepAliveSeconds = 60,
        ClientId = Encoding.UTF8.GetBytes(options.ClientId),
        SessionExpiryInterval = options.Version == ProtocolVersion.Mqtt50 ? options.SessionExpirySeconds : 0,
        HasWill = options.Will is not null,
        WillTopic = options.Will is { } will ? Encoding.UTF8.GetBytes(will.Topic) : default,
        WillPayload = options.Will is { } last ? Encoding.UTF8.GetBytes(last.Payload) : default,
        // At QoS 2: at QoS 1 the watcher may rightly get it again.
        WillQoS = options.Will is null ? QoS.AtMostOnce : QoS.ExactlyOnce,
    });

    private static void Close(Socket? socket)
    {
        if (socket is null)
        {
            return;
        }

        try
        {
            // A reset: what the other side had not read yet is lost, as when a device's network goes.
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }
    }
}
