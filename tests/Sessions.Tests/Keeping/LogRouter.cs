using System.Text;

namespace Trunkline.Sessions.Tests.Keeping;

/// <summary>A router with one group whose log the test fills: pages are served when the test says so, each of so many messages.</summary>
internal sealed class LogRouter(SessionContext context) : IMessageRouter
{
    private readonly List<(LogPosition Position, string Payload, QoS QoS)> _log = [];
    private readonly Queue<BacklogRead> _reads = new();
    private readonly Queue<MessageRead> _messages = new();

    /// <summary>Messages of a page at most.</summary>
    public int PageMessages { get; init; } = 1_000;

    /// <summary>Messages of the log's beginning that are above the limits of the backlog that is read first.</summary>
    public int AboveLimit { get; init; }

    /// <summary>Whether the pages of retained messages that subscriptions asked for do not come.</summary>
    public bool WithholdsRetained { get; init; }

    /// <summary>Asked for each incoming QoS 2 or 1 message.</summary>
    public List<(string Payload, MessageId Id)> Published { get; } = [];

    public int LogGroups => 1;

    private LogPosition Tail => _log.Count == 0 ? LogPosition.None : _log[^1].Position;

    public static LogPosition At(int n) => new(1, (ulong)n);

    /// <summary>Messages with the numbers of their positions as payload.</summary>
    public LogRouter With(int first, int last, QoS qos = QoS.ExactlyOnce)
    {
        _log.AddRange(Enumerable.Range(first, last - first + 1).Select(n => (At(n), $"{n}", qos)));
        return this;
    }

    public bool CanReadBacklog(int group) => true;

    public LogPosition Dispatched(int group) => Tail;

    public bool AwaitsRetained(SessionSubscription subscription) => WithholdsRetained;

    public void ReadBacklog(BacklogRead read) => _reads.Enqueue(read);

    public void ReadMessages(MessageRead read) => _messages.Enqueue(read);

    public PublishOutcome Publish(in PublishRequest request, PublishTicket ticket)
    {
        Published.Add((Encoding.UTF8.GetString(request.Payload), request.Id));
        return PublishOutcome.Taken;
    }

    public void Subscribe(SubscribeOperation operation)
    {
        foreach (SubscribeItem item in operation.Items)
        {
            item.Subscription!.Session.AwaitStart(0);
            item.Subscription.Session.Started(0, Tail);
        }

        operation.Complete();
    }

    public void Unsubscribe(SubscribeOperation operation) => operation.Complete();

    public void Forget(Session session)
    {
    }

    public void AttachmentChanged(Session session)
    {
    }

    /// <summary>Delivers the whole log live.</summary>
    public void DispatchAll(Session session)
    {
        foreach ((LogPosition position, _, _) in _log)
        {
            Give(position, message => session.Deliver(message, QoS.ExactlyOnce, false, []));
        }
    }

    /// <summary>Answers what was asked for until now: messages by position, then one page each.</summary>
    public void Serve()
    {
        for (int count = _messages.Count; count > 0; count--)
        {
            MessageRead read = _messages.Dequeue();
            foreach (GroupPosition place in read.Positions)
            {
                Give(place.Position, read.Found);
            }

            read.Complete();
        }

        for (int count = _reads.Count; count > 0; count--)
        {
            Serve(_reads.Dequeue());
        }
    }

    private void Serve(BacklogRead read)
    {
        if (AboveLimit > 0 && read.After < At(AboveLimit))
        {
            read.ApplyLimits(At(AboveLimit), AboveLimit, _log.Count - AboveLimit, aged: 0);
        }

        LogPosition[] page = [.. _log.Select(entry => entry.Position).Where(position => position > read.After).Take(PageMessages)];
        foreach (LogPosition position in page)
        {
            Give(position, message =>
            {
                context.FanOut.Begin(message);
                foreach (SessionSubscription subscription in read.Session.Subscriptions)
                {
                    context.FanOut.Add(subscription);
                }

                context.FanOut.DeliverBacklog();
            });
        }

        read.Complete(page.Length == 0 ? Tail : page[^1]);
    }

    private void Give(LogPosition position, Action<SharedMessage> then)
    {
        foreach ((LogPosition at, string payload, QoS qos) in _log)
        {
            if (at == position)
            {
                SharedMessage message = context.Messages.Rent(new MessageContent
                {
                    Topic = "a"u8,
                    Payload = Encoding.UTF8.GetBytes(payload),
                    QoS = qos,
                    ExpiresAtMs = long.MaxValue,
                });
                message.Group = 0;
                message.Position = at;
                then(message);
                message.Release();
            }
        }
    }
}
