using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// All listeners of a process: started together or not at all, drained together. The loops belong to the caller, who
/// stops them afterwards.
/// </summary>
public sealed class ListenerSet : IAsyncDisposable
{
    private readonly IReadOnlyList<ListenerOptions> _options;
    private readonly IReadOnlyList<Loop> _loops;
    private readonly Func<ListenerOptions, IConnectionAcceptor> _acceptors;
    private readonly HostingMetrics _metrics;
    private readonly ILogger _log;
    private readonly MemoryGauge? _memory;
    private readonly FloodGate _floodGate;
    private readonly List<(Listener Listener, IListenerPort Port)> _started = [];
    private bool _isStopped;

    /// <summary>Makes listeners that do not listen yet.</summary>
    /// <param name="options">One per listener, validated.</param>
    /// <param name="loops">Who accepts: on Linux epoll loops, which take TCP by themselves; any others go by .NET's sockets.</param>
    /// <param name="acceptors">Gives a listener's acceptor, called once each.</param>
    /// <param name="metrics">Counters.</param>
    /// <param name="log">Log.</param>
    /// <param name="memory">Which closes the doors (<see cref="ClosesAt"/>), and by which large packets amid their arrival are given up; null for neither.</param>
    public ListenerSet(
        IReadOnlyList<ListenerOptions> options,
        IReadOnlyList<Loop> loops,
        Func<ListenerOptions, IConnectionAcceptor> acceptors,
        HostingMetrics metrics,
        ILogger log,
        MemoryGauge? memory = null)
    {
        _options = options;
        _memory = memory;
        _loops = loops;
        _acceptors = acceptors;
        _metrics = metrics;
        _log = log;
        _floodGate = new FloodGate(loops[0], log);
    }

    /// <summary>The listeners that listen, in the order of their options.</summary>
    public IReadOnlyList<BoundListener> Bound => [.. _started.Select(item => new BoundListener(item.Listener.Options, item.Listener.Identity.Local))];

    /// <summary>
    /// How little memory closes the doors. Later than <see cref="MemoryLevel.Low"/> where what follows CONNECT can tell who
    /// must come in all the same, and refuses the others.
    /// </summary>
    public MemoryLevel ClosesAt { get; init; } = MemoryLevel.Low;

    /// <summary>Connections open now, over all listeners.</summary>
    public int OpenConnections => _started.Sum(item => item.Listener.Open);

    /// <summary>Binds all and accepts; on failure none listens and a <see cref="ListenerStartException"/> names every error.</summary>
    public async Task<IReadOnlyList<BoundListener>> StartAsync()
    {
        var errors = new List<string>();
        foreach (ListenerOptions options in _options)
        {
            try
            {
                var listener = new Listener(options, _acceptors(options), _metrics, _floodGate, _log, _memory) { ClosesAt = ClosesAt };
                Socket socket = Bind(options);
                listener.OnBound(NetworkAddress.From(socket.LocalEndPoint));
                _started.Add((listener, CreatePort(listener, socket)));
            }
            catch (SocketException exception)
            {
                errors.Add(Describe(options, exception));
            }
            catch (InvalidDataException exception)
            {
                errors.Add($"Listener {options.Name}: {exception.Message}");
            }
        }

        if (errors.Count > 0)
        {
            await StopAcceptingAsync();
            throw new ListenerStartException(errors);
        }

        foreach ((Listener listener, IListenerPort port) in _started)
        {
            await port.StartAsync();
            _log.Listening(listener.Identity.Local, listener.TypeName, listener.Options.Name);
        }

        return Bound;
    }

    /// <summary>Takes what the kernel has queued, then closes the listening sockets; connections live on.</summary>
    public async Task StopAcceptingAsync()
    {
        if (!_isStopped)
        {
            _isStopped = true;
            await Task.WhenAll(_started.Select(item => item.Port.StopAsync()));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAcceptingAsync();

    private static Socket Bind(ListenerOptions options)
    {
        IPEndPoint endPoint = IPEndPoint.Parse(options.Address);
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endPoint.Address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            // Accepted sockets inherit both on Linux, which saves calls per connection.
            socket.NoDelay = options.NoDelay;
            TcpKeepAlive.Set(socket, options.TcpKeepAliveSeconds);
            socket.Bind(endPoint);
            socket.Listen(options.Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static string Describe(ListenerOptions options, SocketException exception)
    {
        string start = $"Listener {options.Name} cannot listen on {options.Address}: {exception.Message}.";
        return exception.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse =>
                $"{start} {PortHolder.Describe(IPEndPoint.Parse(options.Address).Port)} Stop it, or choose another port with Listeners:n:Address (the listeners that ./trunkline up has by default: --mqtt-port, --ws-port).",
            SocketError.AccessDenied => $"{start} Ports below 1024 need the capability CAP_NET_BIND_SERVICE; choose a higher one with Listeners:n:Address.",
            SocketError.AddressNotAvailable => $"{start} This machine has no such address; set Listeners:n:Address to one of its own, or to 0.0.0.0 or [::] for all.",
            _ => $"{start} Change Listeners:n:Address.",
        };
    }

    private IListenerPort CreatePort(Listener listener, Socket socket)
    {
        if (OperatingSystem.IsLinux())
        {
            EpollLoop[] epoll = [.. _loops.OfType<EpollLoop>()];
            if (epoll.Length == _loops.Count)
            {
                return new EpollPort(listener, socket, epoll);
            }
        }

        return new SocketPort(listener, socket, _loops);
    }
}
