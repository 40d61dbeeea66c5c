using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <summary>
/// Finds the place in the log after which only the newest so many matching messages remain, for sessions whose backlog
/// has a limit. Counts once and passes over what is too much in a second reading, so that it holds two numbers and no
/// list; both in slices, so that the log's live messages go between, and it goes on as soon as a part that lay on disk has
/// come. Ends without a result when nobody waits for it any more. Loop thread only.
/// </summary>
internal sealed class LogNewest : WaitingRequest
{
    private readonly BrokerState _state;
    private readonly RequestText _text;
    private readonly RequestHandler _owner;
    private readonly TopicsWanted? _wanted;
    private LogCursor _cursor;
    private LogPosition _end;
    private bool _isSkipping;
    private long _bytes;

    public LogNewest(BrokerState state, RequestText text, RequestHandler owner, Channel channel, byte[] topic, byte[] correlation)
        : base(channel, topic, correlation)
    {
        _state = state;
        _text = text;
        _owner = owner;
        _wanted = text.Wanted(state.Options.TenantLevels);
    }

    /// <summary>Everything up to here is to be passed over.</summary>
    public LogPosition Position { get; private set; }

    /// <summary>Matching messages passed over.</summary>
    public long Skipped { get; private set; }

    /// <summary>Matching messages that remain.</summary>
    public long Left { get; private set; }

    /// <summary>Messages passed over that were older than is wanted; they count neither as passed over nor as remaining.</summary>
    public long Aged { get; private set; }

    /// <summary>Whether retention took messages after the place asked for.</summary>
    public bool MayHaveLost { get; private set; }

    public void Begin()
    {
        _end = _state.Dispatched;
        Seek();
        Position = _cursor.Position;
        Run();
    }

    protected override void Run()
    {
        if (!Channel.IsOpen)
        {
            _owner.OnCounted(this);
            return;
        }

        _wanted?.BeginTurn();
        for (int left = _state.Options.ReadAheadRecords; left > 0; left--)
        {
            if (_wanted is not null && !_state.Log.Skip(ref _cursor, _wanted))
            {
                break;
            }

            LogReading reading = _state.Log.TryRead(ref _cursor, out LogRecord record);
            if (reading == LogReading.Pending)
            {
                _owner.OnWaiting(this);
                return;
            }

            if (reading == LogReading.Lost)
            {
                MayHaveLost |= _wanted?.MayConcern(record.LostOf) ?? true;
            }
            else if (reading == LogReading.Tail || record.Position > _end)
            {
                if (_isSkipping || IsWithin)
                {
                    _owner.OnCounted(this);
                    return;
                }

                _isSkipping = true;
                Seek();
            }
            else if (Take(record))
            {
                _owner.OnCounted(this);
                return;
            }
        }

        _state.Context.Loop.Post(this);
    }

    private bool IsWithin => Left <= _text.Newest!.Value.Messages && _bytes <= _text.Newest.Value.Bytes;

    /// <summary>Returns whether enough was passed over.</summary>
    private bool Take(in LogRecord record)
    {
        if (record.IsForSharesOnly || record.IsExpired(_state.NowMs) || !_text.Matches(record.Topic))
        {
            return false;
        }

        if (_text.IsAged(record, _state.NowMs))
        {
            Aged += _isSkipping ? 1 : 0;
            return false;
        }

        int size = record.Topic.Length + record.Properties.Length + record.Payload.Length;
        if (!_isSkipping)
        {
            Left++;
            _bytes += size;
            return false;
        }

        Left--;
        _bytes -= size;
        Skipped++;
        Position = record.Position;
        return IsWithin;
    }

    private void Seek()
    {
        _cursor = _state.Log.Seek(_text.From!.Value, out bool mayHaveLost);
        MayHaveLost |= mayHaveLost;
    }
}
