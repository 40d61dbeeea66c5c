using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>
/// Gathers the ordinary clients a message matches; the shared copy of the message is made at the first of them, so that
/// a message for links alone costs none.
/// </summary>
internal ref struct ClientMatches : IFilterCollector<SessionSubscription>
{
    private readonly SessionContext _context;
    private readonly LogRecord _record;
    private SharedMessage? _message;

    public ClientMatches(SessionContext context, in LogRecord record)
    {
        _context = context;
        _record = record;
    }

    public void Add(SessionSubscription value)
    {
        if (_message is null)
        {
            _message = _context.Messages.Rent(new MessageContent
            {
                Topic = _record.Topic,
                Properties = _record.Properties,
                Payload = _record.Payload,
                QoS = _record.QoS,
                Retain = _record.Retain,
                ExpiresAtMs = _record.ExpiresAtMs,
                Origin = _record.Origin,
            });
            _context.FanOut.Begin(_message);
        }

        _context.FanOut.Add(value);
    }

    /// <summary>One copy for each session, with all its identifiers.</summary>
    public readonly void Deliver()
    {
        if (_message is not null)
        {
            _context.FanOut.Deliver();
            _message.Release();
        }
    }
}
