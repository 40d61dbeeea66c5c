using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// The way of a message through the group: refused, dropped as a repeat, or appended; then, once it is as durable as the
/// group promises, acknowledged and given to everyone it is for. QoS 0 is given out at once and never logged.
/// </summary>
/// <remarks>
/// With a log that commits at once (memory) the message goes out from the receive buffer; with one that commits later
/// it waits in the log and is read back when <see cref="IGroupLog.Committed"/> has passed it.
/// </remarks>
internal sealed class MessageDispatcher : ILogListener
{
    private readonly BrokerState _state;
    private readonly LinkMatches _matches = new();
    private readonly Queue<(LogPosition Position, PublishTicket Ticket)> _unacknowledged = new();
    private readonly LogPauses _pauses;
    private readonly SlowedAcknowledgements _slowed;
    private byte[] _properties = new byte[256];
    private bool _isRetainedFull;

    public MessageDispatcher(BrokerState state)
    {
        _state = state;
        _pauses = new LogPauses(state);
        _slowed = new SlowedAcknowledgements(state, Acknowledge);
        state.Log.Listener = this;
    }

    /// <summary>Told when pending parts of the log can be read: lagging links go on.</summary>
    public Action? Readable { get; set; }

    /// <summary>Takes a message of a client or a publish link.</summary>
    public PublishOutcome Publish(in PublishRequest request, PublishLink? link, PublishTicket ticket)
    {
        LinkFields fields = default;
        if (link is not null && request.Properties.HasUserProperties
            && ForwardableProperties.TryFindUserProperty(request.Properties, ForwardableProperties.TrunklineKey, out ReadOnlySpan<byte> value))
        {
            fields = LinkFields.Parse(value);
        }

        LogProducer? producer = fields.Number == 0 ? null : link!.Producer;
        if (request.QoS > QoS.AtMostOnce && IsRepeat(producer, fields, out LogPosition earlier))
        {
            Acknowledge(earlier, ticket);
            return PublishOutcome.Taken;
        }

        var record = new LogRecord
        {
            Topic = request.Topic,
            Properties = CopyForwardable(request),
            Payload = request.Payload,
            QoS = request.QoS == QoS.AtMostOnce ? QoS.AtMostOnce : fields.OriginalQoS ?? request.QoS,
            Retain = request.Retain,
            ExpiresAtMs = MessageLifetime.ExpiresAt(_state.NowMs, request.MessageExpirySeconds),
            Origin = link is null ? request.Origin : fields.Origin,
            Producer = producer,
            Number = fields.Number,
            Id = fields.Id,
        };
        if (request.Retain && !MayRetain(record))
        {
            if (request.QoS > QoS.AtMostOnce)
            {
                return new PublishOutcome(ReasonCode.QuotaExceeded, false);
            }

            _state.Retained.Remove(record.Topic);
            RouteLive(record, retains: false);
            return PublishOutcome.Taken;
        }

        if (record.QoS == QoS.AtMostOnce)
        {
            RouteLive(record, retains: true);
            return PublishOutcome.Taken;
        }

        if (RecordFrame.SizeOf(record) > _state.Options.LogMaximumBytes)
        {
            return new PublishOutcome(ReasonCode.QuotaExceeded, false);
        }

        LogPosition position = Append(record);
        if (!_slowed.Takes(record.Topic, position, ticket))
        {
            Acknowledge(position, ticket);
        }

        return new PublishOutcome(ReasonCode.Success, _pauses.MustPause(request.Publisher));
    }

    /// <summary>Gives out a QoS 0 message now.</summary>
    public void RouteLive(in LogRecord record, bool retains)
    {
        _state.Counters.Add(BrokerCounter.RoutedQoS0);
        if (record.Retain && retains)
        {
            _state.Retained.Apply(record);
        }

        var clients = new ClientMatches(_state.Context, record);
        Match(record, ref clients);
        foreach (ShareMember member in _state.Shares.ChooseLive(record))
        {
            if (member.Node is null)
            {
                clients.Add(member.Subscription);
            }
            else
            {
                _matches.Add(member.Node.Link!, member.Subscription.Identifier);
            }
        }

        for (int i = 0; i < _matches.Count; i++)
        {
            ReceiveLink link = _matches[i];
            if (link.IsCongested)
            {
                _state.Counters.Add(BrokerCounter.LinkDroppedCongested);
            }
            else if (!record.IsExpired(_state.NowMs))
            {
                link.Write(record);
            }
        }

        clients.Deliver();
    }

    /// <inheritdoc/>
    public void OnCommitted()
    {
        if (_state.Dispatched < _state.Log.Committed)
        {
            DispatchFromLog();
        }

        while (_unacknowledged.TryPeek(out var waiting) && waiting.Position <= _state.Log.Committed)
        {
            _unacknowledged.Dequeue();
            waiting.Ticket.Complete(ReasonCode.Success);
        }

        _state.Shares.OnCommitted();
        _pauses.OnCommitted();
    }

    /// <inheritdoc/>
    public void OnReadable()
    {
        OnCommitted();
        Readable?.Invoke();
    }

    /// <summary>
    /// Whether the log holds the message already: under its number on this link, or under its id, whichever way that came.
    /// Its number then counts as seen.
    /// </summary>
    private bool IsRepeat(LogProducer? producer, in LinkFields fields, out LogPosition earlier)
    {
        earlier = default;
        if (producer is not null && producer.Has(fields.Number))
        {
            _state.Counters.Add(BrokerCounter.Duplicates);
            earlier = producer.LastPosition;
            return true;
        }

        bool isKnown = (fields.Id is { } id && _state.Log.TryFind(id, out earlier))
            || (producer is not null && _state.Log.Ids > 0
                && _state.Log.TryFind(new MessageId(producer.Node, producer.Link, fields.Number), out earlier));
        if (isKnown)
        {
            _state.Counters.Add(BrokerCounter.DuplicateIds);
            producer?.Pass(fields.Number, earlier);
        }

        return isKnown;
    }

    private LogPosition Append(in LogRecord record)
    {
        IGroupLog log = _state.Log;
        bool allDispatched = _state.Dispatched == log.Tail;
        LogPosition position = log.Append(record);
        _state.Counters.Add(BrokerCounter.Appended);
        if (allDispatched && log.Committed >= position)
        {
            Dispatch(record.At(position));
        }

        return position;
    }

    /// <summary>Gives out one logged message; every earlier one was given out before.</summary>
    private void Dispatch(in LogRecord record)
    {
        LogPosition before = _state.Dispatched;
        if (record.Retain && !record.IsForSharesOnly)
        {
            _state.Retained.Apply(record);
        }

        var clients = new ClientMatches(_state.Context, record);
        Match(record, ref clients);
        bool isExpired = record.IsExpired(_state.NowMs);
        for (int i = 0; i < _matches.Count; i++)
        {
            ReceiveLink link = _matches[i];
            if (!link.IsAtTail)
            {
                // Its cursor will come here.
                continue;
            }

            if (link.IsCongested)
            {
                link.FallBehind(before);
            }
            else if (!isExpired)
            {
                link.Write(record);
            }
        }

        _state.Shares.Dispatch(record, before);
        _state.Dispatched = record.Position;
        clients.Deliver();
    }

    private void DispatchFromLog()
    {
        IGroupLog log = _state.Log;
        LogCursor cursor = log.Seek(_state.Dispatched, out _);
        while (_state.Dispatched < log.Committed)
        {
            switch (log.TryRead(ref cursor, out LogRecord record))
            {
                case LogReading.Record:
                    Dispatch(record);
                    break;
                case LogReading.Lost:
                    // Acknowledged, gone from memory before everybody had it, and not to be read any more.
                    _state.Counters.Add(BrokerCounter.LinkLosses);
                    _state.Dispatched = cursor.Position;
                    break;
                case LogReading.Tail:
                    _state.Dispatched = log.Committed;
                    return;
                default:
                    return;
            }
        }
    }

    private void Match(in LogRecord record, ref ClientMatches clients)
    {
        _matches.Begin();
        if (record.IsForSharesOnly)
        {
            return;
        }

        if (_state.LinkFilters.Count > 0)
        {
            var collector = new LinkMatches.Collector(_matches);
            _state.LinkFilters.Match(record.Topic, ref collector);
        }

        if (_state.ClientFilters.Count > 0)
        {
            _state.ClientFilters.Match(record.Topic, ref clients);
        }
    }

    /// <summary>
    /// When the message is stored; and the term of now, for one that is a repeat, too: an acknowledgement in a term implies that
    /// no later run uses it again.
    /// </summary>
    private void Acknowledge(LogPosition position, PublishTicket ticket)
    {
        var term = new LogPosition(_state.Log.Term, 0);
        position = position > term ? position : term;
        if (_unacknowledged.Count == 0 && _state.Log.Committed >= position)
        {
            ticket.Complete(ReasonCode.Success);
        }
        else
        {
            _unacknowledged.Enqueue((position, ticket));
        }
    }

    private bool MayRetain(in LogRecord record)
    {
        if (_state.Retained.HasRoomFor(record))
        {
            _isRetainedFull = false;
            return true;
        }

        _state.Counters.Add(BrokerCounter.RetainedRefused);
        if (!_isRetainedFull)
        {
            _isRetainedFull = true;
            BrokerLog.RetainedFull(_state.Logger, _state.Name, _state.Retained.Count, _state.Retained.Bytes);
        }

        return false;
    }

    private ReadOnlySpan<byte> CopyForwardable(in PublishRequest request)
    {
        int length = request.ForwardableLength;
        if (length > _properties.Length)
        {
            _properties = new byte[length * 2];
        }

        return _properties.AsSpan(0, request.CopyForwardable(_properties));
    }
}
