using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Trunkline.Hosting;

/// <summary>
/// One listening socket that every loop watches and accepts from by itself. One queue for all (rather than one per loop by
/// SO_REUSEPORT), so that closing it after a last sweep loses nothing that was in it.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class EpollPort : IListenerPort
{
    private readonly Listener _listener;
    private readonly Socket _socket;
    private readonly List<EpollAcceptor> _acceptors;
    private bool _isStarted;

    public EpollPort(Listener listener, Socket socket, IEnumerable<EpollLoop> loops)
    {
        _listener = listener;
        _socket = socket;
        _socket.Blocking = false;
        _acceptors = [.. loops.Select(loop => new EpollAcceptor(loop, listener, (int)socket.Handle))];
    }

    /// <inheritdoc/>
    public Task StartAsync()
    {
        _isStarted = true;
        return Task.WhenAll(_acceptors.Select(acceptor => acceptor.Loop.InvokeAsync(acceptor.Start)));
    }

    /// <inheritdoc/>
    public async Task StopAsync()
    {
        if (!_isStarted)
        {
            _socket.Dispose();
            return;
        }

        await Task.WhenAll(_acceptors.Select(acceptor => acceptor.Loop.InvokeAsync(acceptor.Stop)));

        // What came between the sweeps of the others and now is taken by the last one.
        EpollAcceptor last = _acceptors[^1];
        await last.Loop.InvokeAsync(last.AcceptAll);
        _socket.Dispose();
        _listener.Log.StoppedAccepting(_listener.Options.Name);
    }
}
