using System.Net;
using System.Net.Sockets;

namespace Trunkline.Directory.Tests;

/// <summary>Passes bytes to a port, at once or after a while, or holds them while the connections stand.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _port;
    private long _delayMs;

    public Relay(int port)
    {
        _port = port;
        _listener.Start();
        _ = AcceptAsync();
    }

    public volatile bool Passes = true;

    /// <summary>Bytes that are passed on at a time at most.</summary>
    public int PieceBytes { get; init; } = 256 * 1024;

    /// <summary>How long what a server answers is held, ms; what comes meanwhile follows with it.</summary>
    public long DelayMs
    {
        get => Interlocked.Read(ref _delayMs);
        set => Interlocked.Exchange(ref _delayMs, value);
    }

    /// <summary>How much longer the answers on a connection are held, ms, by its number from 1 on.</summary>
    public Func<int, long> LaterMs { get; init; } = static _ => 0;

    public string Endpoint => "127.0.0.1:" + ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        for (int number = 1; !_stop.IsCancellationRequested; number++)
        {
            long later = LaterMs(number);
            TcpClient from = await _listener.AcceptTcpClientAsync(_stop.Token);
            var to = new TcpClient();
            await to.ConnectAsync(IPAddress.Loopback, _port);
            _ = CopyAsync(from, to, () => 0);
            _ = CopyAsync(to, from, () => DelayMs + later);
        }
    }

    private async Task CopyAsync(TcpClient from, TcpClient to, Func<long> delayMs)
    {
        byte[] buffer = new byte[PieceBytes];
        using (from)
        {
            int read;
            while ((read = await from.GetStream().ReadAsync(buffer, _stop.Token)) > 0)
            {
                await Eventually.HoldsAsync(() => Passes || _stop.IsCancellationRequested, "the relay passes bytes again");
                await Eventually.LastsAsync(TimeSpan.FromMilliseconds(delayMs()), _stop.Token);
                await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
    }
}
