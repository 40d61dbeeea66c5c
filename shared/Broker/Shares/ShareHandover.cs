using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// Gives what was chosen for members that are gone, and was not sent to them, to other members of their shares. The log
/// is read in slices from where the member stood to the tail of now; for another node the message is appended again,
/// for that share alone, because that node's cursor may have passed its first place.
/// </summary>
internal sealed class ShareHandover : LoopWork
{
    private readonly BrokerState _state;
    private readonly MessageDispatcher _dispatcher;
    private readonly Dictionary<ShareChoice, Share> _left;
    private readonly LogPosition _end;
    private LogCursor _cursor;

    public ShareHandover(
        BrokerState state, MessageDispatcher dispatcher, Dictionary<ShareChoice, Share> left, LogPosition from)
    {
        _state = state;
        _dispatcher = dispatcher;
        _left = left;
        _end = state.Log.Tail;
        _cursor = state.Log.Seek(from, out _);
    }

    public void Begin() => _state.Context.Loop.Post(this);

    protected override void Run()
    {
        for (int left = _state.Options.ReadAheadRecords; left > 0; left--)
        {
            switch (_state.Log.TryRead(ref _cursor, out LogRecord record))
            {
                case LogReading.Record when record.Position <= _end:
                    Take(record);
                    break;
                case LogReading.Lost:
                    break;
                case LogReading.Pending:
                    _state.Context.Loop.Post(this);
                    return;
                default:
                    return;
            }
        }

        _state.Context.Loop.Post(this);
    }

    private void Take(in LogRecord record)
    {
        List<ShareChoice>? choices = null;
        foreach (ShareChoice choice in record.Choices)
        {
            if (!_left.TryGetValue(choice, out Share? share) || record.IsExpired(_state.NowMs))
            {
                continue;
            }

            if (share.Choose(mayWait: true) is not { } member)
            {
                _state.Counters.Add(BrokerCounter.ShareUndelivered);
                continue;
            }

            _state.Counters.Add(BrokerCounter.ShareHandedOver);
            if (member.Node is null)
            {
                var clients = new ClientMatches(_state.Context, record);
                clients.Add(member.Subscription);
                clients.Deliver();
            }
            else
            {
                (choices ??= []).Add(new ShareChoice(share.Id, member.Id));
            }
        }

        if (choices is null)
        {
            return;
        }

        // Appending may take the very bytes this record stands in.
        var copy = new LogRecord
        {
            Topic = record.Topic.ToArray(),
            Properties = record.Properties.ToArray(),
            Payload = record.Payload.ToArray(),
            QoS = record.QoS,
            Retain = record.Retain,
            ExpiresAtMs = record.ExpiresAtMs,
            Origin = record.Origin,
        };
        _dispatcher.AppendForShares(copy, choices.ToArray());
    }
}
