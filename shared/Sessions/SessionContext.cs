using Trunkline.Transports;

namespace Trunkline.Sessions;

/// <summary>
/// What the sessions of one loop share: their loop, limits, counters, pool and the way onward. Loop thread only, but for
/// reading the counters.
/// </summary>
public sealed class SessionContext
{
    /// <summary>Wires the context of one loop.</summary>
    /// <param name="loop">The loop that owns every session of this context.</param>
    /// <param name="options">What the server offers and its limits.</param>
    public SessionContext(Loop loop, MqttOptions options)
    {
        Loop = loop;
        Options = options;
        Messages = new MessagePool(loop);
        Registry = new SessionRegistry(this);
        FanOut = new FanOut();
        Strategies = SharedStrategies.TryParse(options.SharedStrategies, options.SharedStrategy)
            ?? throw new ArgumentException("Mqtt:SharedStrategies is malformed; Validate says how.", nameof(options));
    }

    /// <summary>The owner.</summary>
    public Loop Loop { get; }

    /// <summary>What the server offers and its limits.</summary>
    public MqttOptions Options { get; }

    /// <summary>How members of shared subscriptions are chosen.</summary>
    public SharedStrategies Strategies { get; }

    /// <summary>The loop's counters.</summary>
    public SessionCounters Counters { get; } = new();

    /// <summary>The loop's pool of messages.</summary>
    public MessagePool Messages { get; }

    /// <summary>The sessions of this loop by client identifier.</summary>
    public SessionRegistry Registry { get; }

    /// <summary>Brings one message to many sessions of this loop.</summary>
    public FanOut FanOut { get; }

    /// <summary>The sessions of this loop that outlive their connections and have anything undone.</summary>
    public UndoneSessions Undone { get; } = new();

    /// <summary>The topic of the last QoS 0 message, so that a burst on one topic is judged once.</summary>
    public KnownTopic KnownTopic { get; } = new();

    internal WindowPool Windows { get; } = new();

    /// <summary>Channels that go on in the next turn.</summary>
    internal TurnYields Yields => field ??= new TurnYields(Loop);

    /// <summary>Where publishes and subscriptions go; set once while wiring.</summary>
    public IMessageRouter Router
    {
        get => field ?? throw new InvalidOperationException("The router of a session context was not wired.");
        set;
    }

    /// <summary>Keeps sessions beyond their connections; null where they stay in memory. Set once while wiring.</summary>
    public ISessionKeeper? Keeper { get; set; }

    /// <summary>Told when a session has ended for good, so that its claim can be released; may be null.</summary>
    public Action<Session>? SessionEnded { get; set; }

    /// <summary>
    /// Told when a session's connection takes bytes again and what waited in the session was sent, so that a router that
    /// stopped feeding it goes on; may be null.
    /// </summary>
    public Action<Session>? SessionWritable { get; set; }
}
