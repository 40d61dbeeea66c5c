using System.Net.Sockets;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>A listening socket for any system; connections go to the loops in turn.</summary>
#pragma warning disable CA1001 // StopAsync disposes of both.
internal sealed class SocketPort(Listener listener, Socket socket, IReadOnlyList<Loop> loops) : IListenerPort
#pragma warning restore CA1001
{
    private const int PauseMs = 100;

    private readonly CancellationTokenSource _stop = new();
    private Task _accepting = Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync()
    {
        _accepting = AcceptAllAsync();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        socket.Dispose();
        _stop.Dispose();
        listener.Log.StoppedAccepting(listener.Options.Name);
    }

    private async Task AcceptAllAsync()
    {
        for (int next = 0; ; next++)
        {
            // After the stop only what waits already is taken.
            if (_stop.IsCancellationRequested && !socket.Poll(0, SelectMode.SelectRead))
            {
                return;
            }

            try
            {
                Socket accepted = await socket.AcceptAsync(_stop.IsCancellationRequested ? CancellationToken.None : _stop.Token);
                if (listener.IsMemoryLow)
                {
                    // Said first: whoever sees the close finds the line and the count.
                    listener.OnMemoryLow(PauseMs);
                    accepted.Dispose();
                    await Task.Delay(TimeSpan.FromMilliseconds(PauseMs), loops[0].Time);
                    continue;
                }

                Take(accepted, loops[next % loops.Count]);
            }
            catch (OperationCanceledException)
            {
                // One more round, to sweep.
            }
            catch (SocketException exception)
            {
                listener.OnAcceptPaused(PauseMs, exception.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(PauseMs), loops[0].Time);
            }
        }
    }

    private void Take(Socket accepted, Loop loop)
    {
        var peer = NetworkAddress.From(accepted.RemoteEndPoint);
        if (!listener.TryAdmit(peer))
        {
            accepted.Dispose();
            return;
        }

        accepted.NoDelay = listener.Options.NoDelay;
        TcpKeepAlive.Set(accepted, listener.Options.TcpKeepAliveSeconds);
        loop.Post(() =>
        {
            var transport = new SocketTransport(loop, accepted, new ConnectionOrigin(listener.Identity, peer), listener.Settings, listener);
            listener.OnAccepted(transport);
            transport.Open();
        });
    }
}
