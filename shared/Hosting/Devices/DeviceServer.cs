using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Hosting.Devices;

/// <summary>
/// The MQTT server that connections are given to: one session context and one gate per loop, and which loop owns which
/// client identifier. Immutable after wiring; usable from every loop.
/// </summary>
public sealed class DeviceServer
{
    private static readonly TimeSpan SendAwayStep = TimeSpan.FromMilliseconds(50);

    private readonly SessionContext[] _contexts;
    private readonly IConnectGate[] _gates;
    private readonly SessionContext?[] _byLoopIndex;
    private readonly LoopConnections[] _connections;
    private volatile bool _isShuttingDown;

    /// <summary>Wires the server.</summary>
    /// <param name="contexts">One session context per loop that owns sessions, in the order of the hash.</param>
    /// <param name="gates">The gate of each, in the same order.</param>
    public DeviceServer(IReadOnlyList<SessionContext> contexts, IReadOnlyList<IConnectGate> gates)
    {
        ArgumentOutOfRangeException.ThrowIfZero(contexts.Count);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gates.Count, contexts.Count);
        _contexts = [.. contexts];
        _gates = [.. gates];
        _connections = [.. contexts.Select(_ => new LoopConnections())];
        _byLoopIndex = new SessionContext?[contexts.Max(context => context.Loop.Index) + 1];
        foreach (SessionContext context in contexts)
        {
            _byLoopIndex[context.Loop.Index] = context;
        }
    }

    /// <summary>The contexts, one per loop.</summary>
    public IReadOnlyList<SessionContext> Contexts => _contexts;

    /// <summary>The context that owns a client identifier: always the same one of this process.</summary>
    public SessionContext OwnerOf(string clientId) =>
        _contexts.Length == 1 ? _contexts[0] : _contexts[SessionRegistry.OriginOf(clientId) % (ulong)_contexts.Length];

    /// <summary>The same by the identifier's UTF-8, as CONNECT brings it.</summary>
    public SessionContext OwnerOf(ReadOnlySpan<byte> clientId) =>
        _contexts.Length == 1 ? _contexts[0] : _contexts[SessionRegistry.OriginOf(clientId) % (ulong)_contexts.Length];

    /// <summary>The context of a loop.</summary>
    public SessionContext ContextOf(Loop loop) =>
        loop.Index < _byLoopIndex.Length && _byLoopIndex[loop.Index] is { } context && ReferenceEquals(context.Loop, loop)
            ? context
            : throw new InvalidOperationException($"Loop {loop.Name} serves no devices.");

    /// <summary>Whether <see cref="ShutDownAsync"/> was called; any thread.</summary>
    internal bool IsShuttingDown => _isShuttingDown;

    internal IConnectGate GateOf(SessionContext context) => _gates[Array.IndexOf(_contexts, context)];

    internal LoopConnections ConnectionsOf(SessionContext context) => _connections[Array.IndexOf(_contexts, context)];

    /// <summary>
    /// Before <see cref="ShutDownAsync"/>: ends nearly all connections in the same way, but spread over time, so that they do
    /// not all come to the other nodes at once. Whoever comes later is closed at once; the others are served until it is
    /// their turn. Few devices are left to <see cref="ShutDownAsync"/> at once.
    /// </summary>
    /// <param name="perSecond">Connections a second; more where <paramref name="most"/> would not do.</param>
    /// <param name="most">The longest it may take.</param>
    /// <param name="sentEarly">Told at the start how many go before their turn at <paramref name="perSecond"/>, if any do.</param>
    public async Task SendAwayAsync(int perSecond, TimeSpan most, Action<int>? sentEarly = null)
    {
        _isShuttingDown = true;
        int[] open = await Task.WhenAll(_contexts.Select((context, i) => context.Loop.InvokeAsync(() => _connections[i].Count)));
        double seconds = double.Min((double)open.Sum() / perSecond, most.TotalSeconds);
        int early = open.Sum() - (int)(perSecond * seconds);
        if (seconds >= most.TotalSeconds && early > 0)
        {
            sentEarly?.Invoke(early);
        }

        int steps = (int)(seconds / SendAwayStep.TotalSeconds);
        using PeriodicTimer timer = new(SendAwayStep, _contexts[0].Loop.Time);
        for (int left = steps; left > 0; left--)
        {
            int next = left;
            await Task.WhenAll(_contexts.Select((context, i) => context.Loop.InvokeAsync(
                () => _connections[i].ShutDownTo((int)((long)open[i] * next / (steps + 1))))));
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>
    /// Ends every connection because the server shuts down: DISCONNECT 0x8B for 5.0, then every session, so that wills that
    /// wait for their delay are published, too [MQTT-3.1.2-8]; those that a keeper keeps go to it instead. Whoever comes later is closed at once. Returns when the last
    /// bytes have left, or after <paramref name="grace"/>, and then how many connections had not taken them.
    /// </summary>
    public async Task<int> ShutDownAsync(TimeSpan grace)
    {
        _isShuttingDown = true;
        Task[] told = await Task.WhenAll(_contexts.Select((context, i) => context.Loop.InvokeAsync(() => ShutDown(context, _connections[i]))));
        try
        {
            await Task.WhenAll(told).WaitAsync(grace, _contexts[0].Loop.Time);
        }
        catch (TimeoutException)
        {
            // A device that takes no byte must not hold up the end of all others.
        }

        int[] left = await Task.WhenAll(_contexts.Select((context, i) => context.Loop.InvokeAsync(() => _connections[i].Count)));
        return left.Sum();
    }

    private static Task ShutDown(SessionContext context, LoopConnections connections)
    {
        Task gone = connections.ShutDown();
        if (context.Keeper is not null)
        {
            // Sessions without a connection are on their way to where they are kept.
            return gone;
        }

        foreach (Session session in context.Registry.All.ToArray())
        {
            context.Registry.End(session);
        }

        return gone;
    }
}
