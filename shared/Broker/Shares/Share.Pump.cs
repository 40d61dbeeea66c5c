using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Broker;

/// <content>Reading the log and handing out: at the tail within the appending step, behind it in slices of its own.</content>
internal sealed partial class Share
{
    /// <summary>What blocks of the log must hold to be worth reading; null for any.</summary>
    private readonly TopicsWanted? _wanted;

    private LogCursor _cursor;
    private bool _isAtTail;
    private bool _isPosted;
    private bool _isWaiting;
    private bool _hasSaidLost;

    /// <summary>Everything up to here is done or listed.</summary>
    public LogPosition Position => _isAtTail ? _state.Dispatched : _cursor.Position;

    /// <summary>Whether the position has still to come there.</summary>
    private bool IsAhead(LogPosition position) => !_isAtTail && position > _cursor.Position;

    /// <summary>A new share begins at what is dispatched now.</summary>
    public void BeginAtTail() => _isAtTail = true;

    /// <summary>A message was dispatched, everything before it earlier.</summary>
    public void Dispatched(in LogRecord record, LogPosition before)
    {
        if (!_isAtTail || record.IsExpired(_state.NowMs))
        {
            // Its cursor will come here.
            return;
        }

        if (_again.Count == 0 && Choose(record) is { } member)
        {
            HandOut(member, record);
            return;
        }

        _cursor = _state.Log.Seek(before, out _);
        _isAtTail = false;
    }

    /// <summary>Somebody may have room, or something to hand out has come.</summary>
    public void Wake()
    {
        if (!_isPosted && !IsEnded && _members.Count > 0 && (_again.Count > 0 || !_isAtTail))
        {
            _isPosted = true;
            _state.Context.Loop.Post(this);
        }
    }

    protected override void Run()
    {
        _isPosted = false;
        _wanted?.BeginTurn();
        for (int left = _state.Options.ReadAheadRecords; left > 0; left--)
        {
            if (IsEnded || !(_again.Count > 0 ? HandOutAgain() : Step()))
            {
                return;
            }
        }

        Wake();
    }

    private void Begin(LogPosition after)
    {
        _cursor = _state.Log.Seek(after, out bool mayHaveLost);
        if (mayHaveLost && after < _state.Log.Start)
        {
            NoteLost(after);
        }
    }

    /// <summary>One record behind the position. Returns whether there may be another.</summary>
    private bool Step()
    {
        if (_isAtTail || !HasAnyRoom())
        {
            return false;
        }

        if (_wanted is not null && !_state.Log.Skip(ref _cursor, _wanted))
        {
            Wake();
            return false;
        }

        LogCursor before = _cursor;
        switch (_state.Log.TryRead(ref _cursor, out LogRecord record))
        {
            case LogReading.Pending:
                return false;
            case LogReading.Tail:
                ReachTail();
                return false;
            case LogReading.Lost:
                if (_wanted?.MayConcern(record.LostOf) ?? true)
                {
                    NoteLost(before.Position);
                }

                return true;
        }

        if (record.Position > _state.Dispatched)
        {
            // Not as durable as the group promises yet; it comes by the way of those at the tail.
            _cursor = before;
            ReachTail();
            return false;
        }

        if (_handouts.TryGetValue(record.Position, out Handout handout))
        {
            // Claimed, taken or done before the position came here.
            if (handout.Owner == Handout.Finished)
            {
                Drop(record.Position);
            }

            return true;
        }

        if (record.IsForSharesOnly || record.IsExpired(_state.NowMs) || !TopicMatcher.Matches(Filter.Filter, record.Topic))
        {
            return true;
        }

        _state.Counters.Add(BrokerCounter.LogReads);
        if (Choose(record) is not { } member)
        {
            _cursor = before;
            return false;
        }

        HandOut(member, record);
        return true;
    }

    /// <summary>Nothing lies ahead any more: not even what the log has lost since it was done.</summary>
    private void ReachTail()
    {
        _isAtTail = true;
        _hasSaidLost = false;
        if (_finished == 0)
        {
            return;
        }

        foreach (LogPosition position in _handouts.Keys.ToArray())
        {
            if (_handouts[position].Owner == Handout.Finished)
            {
                Drop(position);
            }
        }
    }

    /// <summary>The first of those to be handed out again. Returns whether there may be another.</summary>
    private bool HandOutAgain()
    {
        LogPosition position = _again.Min;
        LogCursor cursor = _state.Log.Seek(position.Before, out _);
        LogReading reading = HasAnyRoom() ? _state.Log.TryRead(ref cursor, out LogRecord record) : Unread(out record);
        if (reading == LogReading.Pending)
        {
            return false;
        }

        if (reading != LogReading.Record || record.Position != position)
        {
            NoteLost(position.Before);
            Drop(position);
            return true;
        }

        if (record.IsExpired(_state.NowMs))
        {
            Drop(position);
            return true;
        }

        if (Choose(record) is not { } member)
        {
            return false;
        }

        _again.Remove(position);
        HandOut(member, record);
        return true;
    }

    private static LogReading Unread(out LogRecord record)
    {
        record = default;
        return LogReading.Pending;
    }

    /// <summary>Whether reading is worth while: within the limit, and somebody may take a message.</summary>
    private bool HasAnyRoom()
    {
        if (Outstanding - _again.Count < _state.Options.ShareHandedOutMaximum && _taken < _state.Options.ShareTakesMaximum)
        {
            foreach (ShareMember member in _members)
            {
                if (member.HasRoom(_state.Options.ShareNodeMaximum))
                {
                    return true;
                }
            }
        }

        NoteWaiting();
        return false;
    }

    private ShareMember? Choose(in LogRecord record)
    {
        ShareMember? chosen = HasAnyRoom() ? _table.Chooser.Choose(this, record, _state.Options.ShareNodeMaximum) : null;
        if (chosen is null)
        {
            NoteWaiting();
        }

        return chosen;
    }

    private void HandOut(ShareMember member, in LogRecord record)
    {
        _isWaiting = false;
        Put(record.Position, member);
        _state.Counters.Add(BrokerCounter.ShareHandedOut);
        if (member.Node?.Link is { } link)
        {
            if (!link.HandOut(record, member.Subscription.Identifier))
            {
                // Larger than the link takes: nobody can have it by this node, and links are alike.
                Drop(record.Position);
            }

            return;
        }

        SharedMessage message = _state.Context.Messages.Rent(new MessageContent
        {
            Topic = record.Topic,
            Properties = record.Properties,
            Payload = record.Payload,
            QoS = record.QoS,
            Retain = record.Retain,
            ExpiresAtMs = record.ExpiresAtMs,
            Origin = record.Origin,
        });
        message.Group = 0;
        message.Position = record.Position;
        member.Subscription.Session.DeliverShared(message, member.Subscription);
        message.Release();
    }

    private void NoteWaiting()
    {
        if (!_isWaiting)
        {
            _isWaiting = true;
            _state.Counters.Add(BrokerCounter.ShareWaits);
        }
    }

    private void NoteLost(LogPosition after)
    {
        _state.Counters.Add(BrokerCounter.ShareLosses);
        if (!_hasSaidLost)
        {
            // Counted each time; said once on a way to the tail, for gaps may be many.
            _hasSaidLost = true;
            BrokerLog.ShareLost(_state.Logger, _state.Name, Filter.ToString(), after.ToString(), _state.Log.Start.ToString());
        }
    }
}
