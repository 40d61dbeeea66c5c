using System.Net;
using System.Net.Sockets;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// Stands between the proxies and one broker and does to their connections what networks do: resets them, swallows
/// everything without a word (half-open), delays.
/// </summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly Socket _listening = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stopped = new();
    private readonly Lock _lock = new();
    private readonly List<Pair> _pairs = [];
    private readonly int _target;
    private readonly Task _accepting;

    /// <summary>Listens on a port of 127.0.0.1 and relays to another; that one need not be there yet.</summary>
    public TcpRelay(int port, int target)
    {
        _target = target;
        _listening.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listening.Listen(100);
        _accepting = AcceptAsync();
    }

    /// <summary>How long each chunk is held on its way, either direction; new connections and those there are.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Connections cut or swallowed so far.</summary>
    public int Faults { get; private set; }

    public int Open
    {
        get
        {
            lock (_lock)
            {
                return _pairs.Count(pair => !pair.IsOver);
            }
        }
    }

    /// <summary>Resets every connection on both sides (RST).</summary>
    public void Reset() => Each(pair => pair.Close(reset: true));

    /// <summary>From now on every connection there is swallows what it gets, on both sides, and stays open. New ones work.</summary>
    public void GoHalfOpen() => Each(pair => pair.Swallow());

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        _listening.Dispose();
        await _accepting;
        Pair[] pairs;
        lock (_lock)
        {
            pairs = [.. _pairs];
        }

        foreach (Pair pair in pairs)
        {
            pair.Close(reset: false);
        }

        await Task.WhenAll(pairs.Select(pair => pair.Running));
        _stopped.Dispose();
    }

    private void Each(Action<Pair> act)
    {
        lock (_lock)
        {
            _pairs.RemoveAll(pair => pair.IsOver);
            Faults += _pairs.Count;
            _pairs.ForEach(act);
        }
    }

    private async Task AcceptAsync()
    {
        while (!_stopped.IsCancellationRequested)
        {
            try
            {
                Socket near = await _listening.AcceptAsync(_stopped.Token);
                Pair pair = new(this, near, new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
                lock (_lock)
                {
                    _pairs.Add(pair);
                }

                pair.Running = pair.RunAsync();
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // Closing the relay ends the loop; a connection that was reset while it waited is nobody's.
            }
        }
    }

    private sealed class Pair(TcpRelay relay, Socket near, Socket far)
    {
        private volatile bool _isSwallowing;

        public bool IsOver { get; private set; }

        public Task Running { get; set; } = Task.CompletedTask;

        public void Swallow() => _isSwallowing = true;

        public void Close(bool reset)
        {
            foreach (Socket socket in (Socket[])[near, far])
            {
                try
                {
                    if (reset)
                    {
                        socket.LingerState = new LingerOption(true, 0);
                    }
                }
                catch (Exception error) when (error is SocketException or ObjectDisposedException)
                {
                    // It was over already.
                }

                socket.Dispose();
            }
        }

        public async Task RunAsync()
        {
            try
            {
                near.NoDelay = true;
                await far.ConnectAsync(IPAddress.Loopback, relay._target, relay._stopped.Token);
                await Task.WhenAll(PassAsync(near, far), PassAsync(far, near));
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // No broker there, or the connection was cut: what the relay is for.
            }

            IsOver = true;
            Close(reset: false);
        }

        private async Task PassAsync(Socket from, Socket to)
        {
            byte[] buffer = new byte[64 * 1024];
            while (true)
            {
                int count;
                try
                {
                    count = await from.ReceiveAsync(buffer);
                }
                catch (Exception error) when (error is SocketException or ObjectDisposedException)
                {
                    Close(reset: true);
                    return;
                }

                if (count == 0 && !_isSwallowing)
                {
                    Close(reset: false);
                    return;
                }

                if (count == 0)
                {
                    // Half-open: the other side must not learn of it.
                    return;
                }

                if (relay.Delay > TimeSpan.Zero)
                {
                    await Task.Delay(relay.Delay);
                }

                for (int sent = 0; sent < count && !_isSwallowing;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
                }
            }
        }
    }
}
