using System.Text;
using Trunkline.Topics;

namespace Trunkline.Sessions.Tests.Harness;

/// <summary>When the router answers.</summary>
public enum Answer
{
    Now,
    Later,
}

/// <summary>One publish the router was asked for.</summary>
public sealed record Published(string ClientId, string Topic, string Payload, QoS QoS, bool Retain)
{
    public ulong Origin { get; init; }

    public uint? Expiry { get; init; }

    public byte[] Properties { get; init; } = [];

    public PublishTicket Ticket { get; init; }

    public MessageId Id { get; init; }

    /// <summary>Who held a matching filter when it came.</summary>
    public IReadOnlyList<string> Receivers { get; init; } = [];
}

/// <summary>
/// A router of one loop that brings every message to the sessions subscribed at once, keeps retained messages, and
/// answers when the test wants it to.
/// </summary>
public sealed class TestRouter(SessionContext context) : IMessageRouter
{
    private readonly List<SessionSubscription> _subscriptions = [];
    private readonly SortedDictionary<string, SharedMessage> _retained = new(StringComparer.Ordinal);

    public Answer PublishAnswer { get; set; }

    public Answer SubscribeAnswer { get; set; }

    /// <summary>What a publish is answered by; a failure refuses at once, unless it is answered later.</summary>
    public ReasonCode PublishReason { get; set; } = ReasonCode.Success;

    /// <summary>What every filter is refused by; success grants.</summary>
    public ReasonCode SubscribeReason { get; set; } = ReasonCode.Success;

    public byte[]? SubscribeProperties { get; set; }

    public bool SlowDown { get; set; }

    /// <summary>When set, every publish is completed with it during the call.</summary>
    public ReasonCode? CompleteAndSlowDown { get; set; }

    public bool Delivers { get; set; } = true;

    /// <summary>Whether <see cref="Log"/> is kept; off where allocation is measured.</summary>
    public bool Records { get; set; } = true;

    public Action<Session>? OnAttachment { get; set; }

    /// <summary>Told of every publish before it is delivered.</summary>
    public Action<Published>? OnPublished { get; set; }

    public List<Published> Log { get; } = [];

    public List<PublishTicket> Tickets { get; } = [];

    public List<SubscribeOperation> Operations { get; } = [];

    /// <summary>Every operation in the order it was begun: "+filter" or "-filter".</summary>
    public List<string> OperationLog { get; } = [];

    public List<string> Forgotten { get; } = [];

    public List<string> Attachments { get; } = [];

    public Published Last => Log[^1];

    /// <summary>What was said of messages of shares: "done", "back" or "take" and the offset.</summary>
    public List<string> Shared { get; } = [];

    /// <summary>Whether asks for QoS 2 messages of shares wait for <see cref="AnswerTakes"/>.</summary>
    public bool TakesLater { get; set; }

    /// <summary>The message of the log that is found by its position.</summary>
    public SharedMessage? Logged { get; set; }

    private List<(Session Session, SharedPlace Place, ushort PacketId)> Takes { get; } = [];

    public void FinishShared(Session session, in SharedPlace place) => Shared.Add($"done {place.Position.Offset}");

    public void ReturnShared(Session session, in SharedPlace place, SharedMessage message) => Shared.Add($"back {place.Position.Offset}");

    public void TakeShared(Session session, in SharedPlace place, ushort packetId)
    {
        Shared.Add($"take {place.Position.Offset}");
        Takes.Add((session, place, packetId));
        if (!TakesLater)
        {
            AnswerTakes(true);
        }
    }

    public void AnswerTakes(bool isGranted)
    {
        foreach ((Session session, SharedPlace place, ushort packetId) in Takes.ToArray())
        {
            Takes.RemoveAt(0);
            session.SharedTaken(packetId, place, isGranted);
        }
    }

    public void ReadMessages(MessageRead read)
    {
        if (Logged is { } message)
        {
            read.Found(message);
        }

        read.Complete();
    }

    /// <summary>How many messages came the short way, on a topic that was judged before.</summary>
    public int Plain { get; private set; }

    public PublishOutcome PublishPlain(KnownTopic topic, ReadOnlySpan<byte> payload, Session publisher)
    {
        Plain++;
        return Publish(
            new PublishRequest { Topic = topic.Name, Payload = payload, QoS = QoS.AtMostOnce, Retain = false, Publisher = publisher },
            PublishTicket.None);
    }

    public PublishOutcome Publish(in PublishRequest request, PublishTicket ticket)
    {
        bool isRefused = PublishAnswer == Answer.Now && ReasonCodes.IsError(PublishReason);
        if (Records)
        {
            Record(request, ticket);
        }

        if (isRefused)
        {
            return new PublishOutcome(PublishReason, SlowDown);
        }

        SharedMessage message = Rent(request);
        if (request.Retain)
        {
            Retain(message);
        }

        if (Delivers)
        {
            Deliver(message);
        }

        message.Release();
        if (CompleteAndSlowDown is { } reason)
        {
            ticket.Complete(reason);
        }
        else if (PublishAnswer == Answer.Later)
        {
            Tickets.Add(ticket);
        }
        else
        {
            ticket.Complete(PublishReason);
        }

        return new PublishOutcome(ReasonCode.Success, SlowDown);
    }

    public void Subscribe(SubscribeOperation operation)
    {
        Note(operation, "+");
        Begin(operation);
    }

    public void Unsubscribe(SubscribeOperation operation)
    {
        Note(operation, "-");
        Begin(operation);
    }

    public void Forget(Session session)
    {
        Forgotten.Add(session.ClientId);
        foreach (SessionSubscription subscription in session.Subscriptions)
        {
            _subscriptions.Remove(subscription);
        }
    }

    public void AttachmentChanged(Session session)
    {
        if (Records)
        {
            Attachments.Add($"{session.ClientId} {(session.Channel is null ? "away" : "here")}");
        }

        OnAttachment?.Invoke(session);
    }

    /// <summary>Completes what waits, oldest first, with this reason.</summary>
    public void CompletePublishes(ReasonCode reason = ReasonCode.Success, int count = int.MaxValue)
    {
        for (; count > 0 && Tickets.Count > 0; count--)
        {
            PublishTicket ticket = Tickets[0];
            Tickets.RemoveAt(0);
            ticket.Complete(reason);
        }

        ((Transports.ManualLoop)context.Loop).RunUntilIdle();
    }

    public void CompleteOperations(int count = int.MaxValue)
    {
        for (; count > 0 && Operations.Count > 0; count--)
        {
            SubscribeOperation operation = Operations[0];
            Operations.RemoveAt(0);
            Finish(operation);
        }

        ((Transports.ManualLoop)context.Loop).RunUntilIdle();
    }

    public void ForgetRetained()
    {
        foreach (SharedMessage message in _retained.Values)
        {
            message.Release();
        }

        _retained.Clear();
    }

    private void Note(SubscribeOperation operation, string sign)
    {
        if (Records)
        {
            OperationLog.AddRange(operation.Items.Select(item => sign + item.Subscription?.Filter));
        }
    }

    private void Begin(SubscribeOperation operation)
    {
        if (SubscribeAnswer == Answer.Later)
        {
            Operations.Add(operation);
        }
        else
        {
            Finish(operation);
        }
    }

    private void Finish(SubscribeOperation operation)
    {
        foreach (SubscribeItem item in operation.Items)
        {
            if (item.Subscription is not { } subscription)
            {
                continue;
            }

            if (operation.IsUnsubscribe)
            {
                _subscriptions.Remove(subscription);
            }
            else if (ReasonCodes.IsError(SubscribeReason))
            {
                item.Reason = SubscribeReason;
            }
            else if (!item.IsRefused && !operation.Session.IsEnded && (item.IsNew || !_subscriptions.Contains(subscription)))
            {
                _subscriptions.Add(subscription);
            }
        }

        operation.AnswerProperties = SubscribeProperties;
        operation.Complete();
        foreach (SubscribeItem item in operation.Items)
        {
            if (item is { WantsRetained: true, IsRefused: false, Subscription: { IsHeld: true } subscription })
            {
                SendRetained(subscription);
            }
        }
    }

    private void SendRetained(SessionSubscription subscription)
    {
        foreach ((string topic, SharedMessage message) in _retained)
        {
            if (TopicMatcher.Matches(subscription.Filter.Filter, Encoding.UTF8.GetBytes(topic)))
            {
                uint[] identifiers = subscription.Identifier == 0 ? [] : [subscription.Identifier];
                subscription.Session.Deliver(message, subscription.Options.QoS, true, identifiers);
            }
        }
    }

    private SharedMessage Rent(in PublishRequest request)
    {
        Span<byte> properties = stackalloc byte[request.ForwardableLength];
        request.CopyForwardable(properties);
        return context.Messages.Rent(new MessageContent
        {
            Topic = request.Topic,
            Properties = properties,
            Payload = request.Payload,
            QoS = request.QoS,
            Retain = request.Retain,
            Origin = request.Origin,
            ExpiresAtMs = request.MessageExpirySeconds is { } seconds ? context.Loop.NowMs + (seconds * 1000L) : long.MaxValue,
        });
    }

    private void Deliver(SharedMessage message)
    {
        FanOut fanOut = context.FanOut;
        fanOut.Begin(message);
        foreach (SessionSubscription subscription in _subscriptions)
        {
            if (TopicMatcher.Matches(subscription.Filter.Filter, message.Topic))
            {
                fanOut.Add(subscription);
            }
        }

        fanOut.Deliver();
    }

    private void Retain(SharedMessage message)
    {
        string topic = Encoding.UTF8.GetString(message.Topic);
        if (_retained.Remove(topic, out SharedMessage? old))
        {
            old.Release();
        }

        if (message.Payload.Length > 0)
        {
            message.AddReference();
            _retained.Add(topic, message);
        }
    }

    private void Record(in PublishRequest request, PublishTicket ticket)
    {
        var properties = new byte[request.ForwardableLength];
        request.CopyForwardable(properties);
        Log.Add(new Published(
            request.Publisher.ClientId, Encoding.UTF8.GetString(request.Topic), Encoding.UTF8.GetString(request.Payload), request.QoS, request.Retain)
        {
            Origin = request.Origin,
            Expiry = request.MessageExpirySeconds,
            Properties = properties,
            Ticket = ticket,
            Id = request.Id,
            Receivers = ReceiversOf(request.Topic),
        });
        OnPublished?.Invoke(Last);
    }

    private List<string> ReceiversOf(ReadOnlySpan<byte> topic)
    {
        var receivers = new List<string>();
        foreach (SessionSubscription subscription in _subscriptions)
        {
            if (subscription.IsHeld && TopicMatcher.Matches(subscription.Filter.Filter, topic))
            {
                receivers.Add(subscription.Session.ClientId);
            }
        }

        return receivers;
    }
}
