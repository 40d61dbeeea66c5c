using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>
/// The retained messages on their way to one subscription of an ordinary client, page by page as its session drains, so
/// that a large store never stands in a session's queue. What changes after the subscription is left out: it came live.
/// </summary>
internal sealed class RetainedReplay(SessionSubscription subscription, ulong since)
{
    private const int PageMessages = 100;
    private const int PageSteps = 1_000;

    private readonly int _attachment = subscription.Session.Attachment;
    private TopicCursor _cursor;

    /// <summary>Delivers what the session takes now. Returns whether there is more for later.</summary>
    public bool Advance(RetainedMessages retained)
    {
        Session session = subscription.Session;
        while (true)
        {
            if (session.IsEnded || !subscription.IsHeld || session.Attachment != _attachment || session.Channel is null)
            {
                return false;
            }

            if (session.Waiting > 0 || session.Channel.IsCongested)
            {
                return true;
            }

            var reader = new Reader(subscription, since, PageMessages);
            if (!retained.Read(subscription.Filter.Filter, ref _cursor, PageSteps, ref reader))
            {
                return false;
            }
        }
    }

    private struct Reader(SessionSubscription subscription, ulong since, int room) : ITopicReader<RetainedMessage>
    {
        private int _room = room;

        public bool Read(ReadOnlyMemory<byte> topic, RetainedMessage value)
        {
            Session session = subscription.Session;
            SessionContext context = session.Context;
            if (value.Sequence > since || value.ExpiresAtMs <= context.Loop.NowMs || subscription.Excludes(value.Origin))
            {
                return true;
            }

            SharedMessage message = context.Messages.Rent(new MessageContent
            {
                Topic = topic.Span,
                Properties = value.Properties,
                Payload = value.Payload,
                QoS = value.QoS,
                Retain = true,
                ExpiresAtMs = value.ExpiresAtMs,
                Origin = value.Origin,
            });
            uint identifier = subscription.Identifier;
            session.Deliver(
                message, subscription.Options.QoS, retain: true, identifier == 0 ? default : new ReadOnlySpan<uint>(in identifier));
            message.Release();
            return --_room > 0;
        }
    }
}
