using System.Text;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// A link that survives its connections: it dials, and dials again with jittered exponential backoff for as long as it
/// is started. Loop thread only. It is its own timer: the next attempt.
/// </summary>
internal abstract class Link : LoopTimer, ILinkOwner
{
    private readonly Random _random;
    private int _failures;
    private bool _isStarted;
    private bool _isServing;
    private bool _wasOpened;

    protected Link(LinkGroup group, SessionContext context, LinkCounters counters, LinkKind kind, string name, int number)
    {
        Group = group;
        Context = context;
        Counters = counters;
        Kind = kind;
        Name = name;
        Number = number;
        Events = new LinkEvents(group, name);
        _random = new Random(unchecked((group.Node.Seed * 31) + (group.Index * 7919) + ((int)kind * 104_729) + number));
    }

    public string Name { get; }

    public LinkKind Kind { get; }

    /// <summary>The link's number within the node.</summary>
    public int Number { get; }

    public LinkGroup Group { get; }

    /// <summary>Connections opened so far.</summary>
    public long Connects { get; private set; }

    public bool WasOpened => Volatile.Read(ref _wasOpened);

    public bool IsOpen => _isServing;

    protected SessionContext Context { get; }

    protected Loop Loop => Context.Loop;

    protected LinkOptions Options => Group.Node.Options;

    protected LinkCounters Counters { get; }

    protected LinkEvents Events { get; }

    protected LinkConnection? Connection { get; private set; }

    public virtual LinkStatus Status => new(Name, Kind, IsOpen, 0, 0, 0, 0, "", Connects);

    /// <summary>Begins to dial.</summary>
    public void Start()
    {
        if (!_isStarted)
        {
            _isStarted = true;
            Dial();
        }
    }

    /// <summary>Leaves for good, in order.</summary>
    public virtual void Stop()
    {
        _isStarted = false;
        Loop.Timers.Cancel(this);
        LinkConnection? connection = Connection;
        Connection = null;
        _isServing = false;
        connection?.Leave();
    }

    /// <inheritdoc/>
    public string? OnOpened(LinkConnection connection, LinkPeer peer)
    {
        if (Group.Judge(peer) is { } refusal)
        {
            return refusal;
        }

        Connects++;
        _isServing = true;
        Volatile.Write(ref _wasOpened, true);
        Counters.Add(LinkCounter.LinksOpened);
        Events.Opened(Loop.NowMs);
        OnOpen(connection, peer);
        Group.Changed();
        return null;
    }

    /// <inheritdoc/>
    public void OnClosed(LinkConnection connection, string reason)
    {
        if (!ReferenceEquals(connection, Connection))
        {
            return;
        }

        Connection = null;
        bool wasOpen = _isServing;
        _isServing = false;
        Counters.Add(wasOpen ? LinkCounter.LinksLost : LinkCounter.ConnectsFailed);

        // Only a connection that lasted resets the backoff: a broker that accepts and closes at once is not stormed.
        _failures = wasOpen && Loop.NowMs - connection.OpenedAtMs >= Options.BackoffMaximumMs ? 0 : _failures + 1;
        Events.Closed(Loop.NowMs, wasOpen, reason);
        if (wasOpen)
        {
            OnLost();
        }

        Group.Changed();
        if (_isStarted)
        {
            Loop.Timers.Schedule(this, Delay());
        }
    }

    /// <inheritdoc/>
    public abstract string? OnPacket(LinkConnection connection, in Frame frame);

    /// <inheritdoc/>
    public abstract void OnWritable(LinkConnection connection);

    /// <summary>Connected.</summary>
    protected abstract void OnOpen(LinkConnection connection, LinkPeer peer);

    /// <summary>The open connection is gone.</summary>
    protected abstract void OnLost();

    /// <summary>What the link says of itself to our broker in CONNECT; foreign ones pass it over.</summary>
    protected abstract string Announcement { get; }

    /// <inheritdoc/>
    protected override void OnDue() => Dial();

    private void Dial()
    {
        GroupEndpoint endpoint = Group.Endpoint;
        Connection = new LinkConnection(
            Loop,
            endpoint.Connector,
            new LinkIdentity(
                Encoding.UTF8.GetBytes(Name),
                endpoint.UserName is null ? null : Encoding.UTF8.GetBytes(endpoint.UserName),
                endpoint.Password is null ? null : Encoding.UTF8.GetBytes(endpoint.Password),
                Encoding.ASCII.GetBytes(Announcement)),
            Options,
            this);
        Connection.Dial();
    }

    private long Delay()
    {
        double mean = double.Min(Options.BackoffMaximumMs, Options.BackoffFirstMs * Math.Pow(2, int.Min(_failures, 20) - 1));
        return (long)(mean * (0.5 + (_random.NextDouble() / 2)));
    }
}
