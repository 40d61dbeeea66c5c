using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// One node's receive link: one cursor in the log, stopped while the link is congested. At the tail the appending step
/// writes to the link itself; behind it the link reads the log in slices, as loop work of its own.
/// </summary>
/// <remarks>
/// <code>
///   connected --resume--> reading --meets the tail--> at tail --congested at a match--> reading
/// </code>
/// </remarks>
internal sealed class ReceiveLink : LoopWork
{
    /// <summary>A link with more filters than this reads everything behind the tail: looking for each would cost more.</summary>
    private const int SkipsWithFilters = 256;

    private readonly BrokerState _state;
    private uint[] _identifiers = new uint[8];
    private int _identifierCount;
    private LogCursor _cursor;
    private bool _isPosted;
    private bool _hasSaidLost;
    private bool _isClosed;

    public ReceiveLink(BrokerState state, Session session, LinkNode node, LinkHello hello)
    {
        _state = state;
        Session = session;
        Node = node;
        Hello = hello;
    }

    public Session Session { get; }

    public LinkNode Node { get; }

    public LinkHello Hello { get; }

    /// <summary>Whether it was told where to begin.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Whether everything dispatched so far was written.</summary>
    public bool IsAtTail { get; private set; }

    public bool IsCongested => Session.Channel is not { IsCongested: false };

    /// <summary>Everything up to here has been sent on this link.</summary>
    public LogPosition Position => IsAtTail ? _state.Dispatched : _cursor.Position;

    /// <summary>The position its first SUBACK named: a start "at the tail" must not lie after it.</summary>
    public LogPosition? FirstLive { get; set; }

    /// <summary>Mark of the match that saw it last; see <see cref="LinkMatches"/>.</summary>
    public int MatchRun { get; set; }

    public void ClearIdentifiers() => _identifierCount = 0;

    public void AddIdentifier(uint identifier)
    {
        if (identifier == 0)
        {
            return;
        }

        if (_identifierCount == _identifiers.Length)
        {
            Array.Resize(ref _identifiers, _identifiers.Length * 2);
        }

        _identifiers[_identifierCount++] = identifier;
    }

    /// <summary>Begins to read after a position. The first records follow on a later step, behind the reply.</summary>
    public void Start(LogCursor cursor)
    {
        _cursor = cursor;
        _hasSaidLost = false;
        IsRunning = true;
        IsAtTail = false;
        Continue();
    }

    /// <summary>A match cannot be written now: from the position before it on the log is read.</summary>
    public void FallBehind(LogPosition before)
    {
        _cursor = _state.Log.Seek(before, out _);
        _hasSaidLost = false;
        IsAtTail = false;
        _state.Counters.Add(BrokerCounter.LinkStops);
    }

    /// <summary>Reads on where it stopped, as far as the link takes it.</summary>
    public void Pump()
    {
        if (!IsRunning || IsAtTail || _isClosed || IsCongested)
        {
            return;
        }

        TopicsWanted? wanted = Wanted();
        for (int left = _state.Options.ReadAheadRecords; left > 0; left--)
        {
            if (IsCongested)
            {
                _state.Counters.Add(BrokerCounter.LinkStops);
                return;
            }

            if (wanted is not null && !Skip(wanted))
            {
                break;
            }

            if (!Step(wanted))
            {
                return;
            }
        }

        Continue();
    }

    /// <summary>
    /// Writes a message that a share hands to this node: out of the log's order, and not one of the link's own. False when
    /// it is larger than the link takes.
    /// </summary>
    public bool HandOut(in LogRecord record, uint identifier)
    {
        _identifierCount = 0;
        AddIdentifier(identifier);
        return Write(record, isHandout: true);
    }

    public void Close()
    {
        _isClosed = true;
        IsRunning = false;
    }

    /// <summary>Says up to where everything has been sent; in order with the messages.</summary>
    public void WriteTail()
    {
        if (!IsRunning || IsCongested)
        {
            return;
        }

        var text = new LinkText(stackalloc byte[LinkText.MaximumBytes]);
        text.Position(Position);
        var encoder = new PublishEncoder { Version = ProtocolVersion.Mqtt50, Topic = BrokerTopics.Tail, Payload = text.Value };
        encoder.Write(Session.Channel!.Host.Output);
    }

    /// <summary>Writes a message with the identifiers gathered; a logged one with its position. False when the link does not take it.</summary>
    public bool Write(in LogRecord record, bool isHandout = false)
    {
        bool isLogged = !record.Position.IsNone;
        var text = new LinkText(stackalloc byte[LinkText.MaximumBytes]);
        if (isLogged)
        {
            text.Position(record.Position);
            text.Number('q', (ulong)record.QoS);
        }

        if (isHandout)
        {
            text.Flag('h');
        }

        if (record.Retain)
        {
            text.Flag('r');
        }

        if (record.Origin != 0)
        {
            text.Origin(record.Origin);
        }

        Channel channel = Session.Channel!;
        var encoder = new PublishEncoder
        {
            Version = ProtocolVersion.Mqtt50,
            Topic = record.Topic,
            Payload = record.Payload,
            ForwardableProperties = record.Properties,
            RemainingExpirySeconds = record.RemainingSeconds(_state.NowMs),
            SubscriptionIdentifiers = _identifiers.AsSpan(0, _identifierCount),
            ExtraKey = text.Value.IsEmpty ? default : ForwardableProperties.TrunklineKey,
            ExtraValue = text.Value,
        };
        int written = encoder.Write(channel.Host.Output, channel.MaximumPacketSize);
        _state.Counters.Add(written == 0 ? BrokerCounter.LinkDroppedTooLarge
            : isLogged ? BrokerCounter.LinkSentLogged : BrokerCounter.LinkSentQoS0);
        return written > 0;
    }

    protected override void Run()
    {
        _isPosted = false;
        Pump();
    }

    private void Continue()
    {
        if (!_isPosted)
        {
            _isPosted = true;
            _state.Context.Loop.Post(this);
        }
    }

    /// <summary>What the link's filters look for; null when it is to read everything. They change between turns only.</summary>
    private TopicsWanted? Wanted() => Session.SubscriptionCount > SkipsWithFilters
        ? null
        : TopicsWanted.Of([.. Session.Subscriptions.Select(subscription => subscription.Filter)], _state.Options.TenantLevels);

    /// <summary>Passes over what holds nothing for the link. False when others are to have their turn.</summary>
    private bool Skip(TopicsWanted wanted)
    {
        LogCursor before = _cursor;
        bool isOver = _state.Log.Skip(ref _cursor, wanted);
        if (_cursor.Position > _state.Dispatched)
        {
            // Its position is what the node has everything up to, and never goes back.
            _cursor = before;
            return true;
        }

        return isOver;
    }

    /// <summary>One record. Returns whether there may be another.</summary>
    private bool Step(TopicsWanted? wanted)
    {
        LogCursor before = _cursor;
        switch (_state.Log.TryRead(ref _cursor, out LogRecord record))
        {
            case LogReading.Pending:
                return false;
            case LogReading.Tail:
                IsAtTail = true;
                return false;
            case LogReading.Lost:
                if (wanted?.MayConcern(record.LostOf) ?? true)
                {
                    SayLost(before.Position);
                }

                return true;
        }

        if (record.Position > _state.Dispatched)
        {
            // Not as durable as the group promises yet; it comes by the way of those at the tail.
            _cursor = before;
            IsAtTail = true;
            return false;
        }

        Match(record);
        return true;
    }

    /// <summary>Counted each time; the line in the log once on a way to the tail, for gaps may be many.</summary>
    private void SayLost(LogPosition before)
    {
        _state.Counters.Add(BrokerCounter.LinkLosses);
        if (!_hasSaidLost)
        {
            _hasSaidLost = true;
            BrokerLog.LinkLost(_state.Logger, _state.Name, Node.Name, before.ToString(), _cursor.Position.ToString());
        }
    }

    private void Match(in LogRecord record)
    {
        _state.Counters.Add(BrokerCounter.LogReads);
        _identifierCount = 0;
        var collector = new OwnMatches(this);
        if (!record.IsForSharesOnly)
        {
            _state.LinkFilters.Match(record.Topic, ref collector);
        }

        if (collector.Matches == 0)
        {
            return;
        }

        if (record.IsExpired(_state.NowMs))
        {
            _state.Counters.Add(BrokerCounter.LinkDroppedExpired);
            return;
        }

        Write(record);
    }

    private struct OwnMatches(ReceiveLink link) : IFilterCollector<LinkFilter>
    {
        public int Matches { get; set; }

        public void Add(LinkFilter value)
        {
            if (ReferenceEquals(value.Link, link))
            {
                link.AddIdentifier(value.Subscription.Identifier);
                Matches++;
            }
        }
    }
}
