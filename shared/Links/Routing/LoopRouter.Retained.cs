using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

internal sealed partial class LoopRouter
{
    private readonly List<FilterRequest> _morePages = [];
    private byte[] _properties = new byte[256];

    /// <summary>A receiver has answered. Answers and messages of one group come in their order.</summary>
    public void OnAnswer(FilterRequest answer)
    {
        if (answer is { Kind: RequestKind.Page, IsReplayed: true })
        {
            OnReplayPage(answer);
            return;
        }

        LiveSubscription live = answer.Live!;
        int group = answer.Receiver.Group.Index;
        if (!live.IsRemoved && answer.Kind == RequestKind.Subscribe && answer.Reason == ReasonCode.Success)
        {
            Activate(live, answer, group);
        }

        if (answer is { Kind: RequestKind.Subscribe, Item.Operation.IsRestore: true })
        {
            live.Subscription.Session.Started(group, live.IsRemoved ? LogPosition.None : answer.Start);
        }

        bool waits = answer.Item is { Operation.IsDone: false };
        if (waits && answer is { WantsRetained: true, Page: null, Cursor: null, IsReplayed: false })
        {
            // Nothing was retained there.
            RetainedOver(live);
        }

        if (waits && answer.Page is not null)
        {
            if (answer.Kind == RequestKind.Subscribe)
            {
                answer.IsGuarded = true;
                Guard(live);
            }

            answer.Item!.Operation.Hold(answer);
        }
        else if (!waits || answer.Kind == RequestKind.Page)
        {
            DeliverPage(answer);
        }

        // SUBACK waits for the first page of a replay, too: what is published after it comes behind those messages.
        if (waits && answer.Kind == RequestKind.Subscribe && answer.IsReplayed)
        {
            answer.Item!.Operation.Activated(answer.Item);
        }
        else if (waits && answer.Kind == RequestKind.Subscribe)
        {
            answer.Item!.Operation.Answered(answer.Item, answer);
        }
    }

    private void Activate(LiveSubscription live, FilterRequest answer, int group)
    {
        LocalFilter filter = live.Filter;
        answer.Filter!.SetLocal(Loop.Index, filter);
        if (_node.HasForeign)
        {
            (filter.Identifiers ??= new uint[_groups.Length])[group] = answer.Filter.Identifier;
        }

        live.Activate(group, answer.Start, _groups.Length);
        if (filter.IsShared)
        {
            ReportMembers(filter);
        }

        if (answer.IsReplayed)
        {
            Guard(live);
        }
    }

    private static void RetainedOver(LiveSubscription live)
    {
        if (live.RetainedLeft > 0 && --live.RetainedLeft == 0)
        {
            live.Subscription.Session.RetainedHandedOver(live.Subscription);
        }
    }

    private void Guard(LiveSubscription live) =>
        (live.Guard ??= new RetainedGuard(Options.MaximumGuardedTopics)).Replays++;

    /// <summary>Delivers retained messages to the one session that asked, then sees to the next page.</summary>
    public void DeliverPage(FilterRequest answer)
    {
        LiveSubscription live = answer.Live!;
        if (live.IsRemoved || live.Subscription.Session.IsEnded)
        {
            return;
        }

        if (answer.Page is { } page)
        {
            Deliver(live, page, answer);
        }

        if (!answer.NewerUpTo.IsNone && live.TryGetStart(answer.Receiver.Group.Index, out LogPosition start))
        {
            live.Subscription.Session.RetainedLeftToLog(
                live.Subscription, new LogRange(answer.Receiver.Group.Index, start, answer.NewerUpTo));
        }

        // A guard ends with the first page of our broker, which leaves out of later ones what was sent live, and with
        // the last page of a foreign one.
        if (live.Guard is not null && (answer.IsGuarded || answer.IsLast) && --live.Guard.Replays == 0)
        {
            live.Guard = null;
        }

        if (answer.WantsRetained && (answer.IsReplayed ? answer.IsLast : answer.Cursor is null))
        {
            RetainedOver(live);
        }

        if (answer.Cursor is not null)
        {
            AskForMore(new FilterRequest(answer.Receiver, RequestKind.Page, Loop.Index, answer.Text)
            {
                Live = live,
                WantsRetained = true,
                IsOfRestore = IsOfRestore(answer),
                IsOfSkipped = answer.IsOfSkipped,
                Cursor = answer.Cursor,
                Since = answer.Since,
            });
        }
    }

    private static bool IsOfRestore(FilterRequest answer) => answer.IsOfRestore || answer.Item is { Operation.IsRestore: true };

    /// <inheritdoc/>
    public void AskForSkipped(SessionSubscription subscription, IReadOnlyList<LogRange> skipped)
    {
        if (subscription.RouterState is not LiveSubscription { Filter.IsShared: false } live)
        {
            return;
        }

        foreach (int group in live.Filter.Groups)
        {
            // A foreign broker's retained messages have no positions: its pages leave nothing to the log.
            if (!_groups[group].IsForeign && live.IsLiveAt(group) && skipped.Any(part => part.Group == group))
            {
                live.RetainedLeft++;
                Counters.Add(LinkCounter.RetainedAskedAgain);
                AskForMore(new FilterRequest(_receivers[group], RequestKind.Page, Loop.Index, live.Filter.Text)
                {
                    Live = live,
                    WantsRetained = true,
                    IsOfSkipped = true,
                    Since = ulong.MaxValue,
                });
            }
        }
    }

    private void Deliver(LiveSubscription live, ReadOnlySpan<byte> page, FilterRequest answer)
    {
        SessionSubscription subscription = live.Subscription;
        int group = answer.Receiver.Group.Index;
        uint identifier = subscription.Identifier;
        ReadOnlySpan<uint> identifiers = identifier == 0 ? default : new ReadOnlySpan<uint>(in identifier);
        while (FrameReader.TryRead(page, 0, ProtocolVersion.Mqtt50, out Frame frame, out _) == FrameStatus.Complete)
        {
            page = page[frame.TotalLength..];
            if (!PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out PublishPacket packet, out _))
            {
                continue;
            }

            TrunklineFields fields = ForwardableProperties.TryFindUserProperty(packet.Properties, ForwardableProperties.TrunklineKey, out ReadOnlySpan<byte> text)
                ? TrunklineFields.Parse(text)
                : default;
            if (IsLeftToLog(live, answer, packet.Topic, fields))
            {
                Counters.Add(LinkCounter.RetainedOutdated);
                continue;
            }

            SharedMessage message = Rent(packet, fields, retain: true);
            subscription.Session.Deliver(message, subscription.Options.QoS, retain: true, identifiers);
            message.Release();
            Counters.Add(LinkCounter.RetainedDelivered);
        }
    }

    /// <summary>
    /// Whether a retained message is passed over, because the log gives it, or has given it, or the message that took its place.
    /// The session is told where that is: when it skips that place the page is asked for again (docs/adr/0021).
    /// </summary>
    private bool IsLeftToLog(LiveSubscription live, FilterRequest answer, ReadOnlySpan<byte> topic, in TrunklineFields fields)
    {
        SessionSubscription subscription = live.Subscription;
        int group = answer.Receiver.Group.Index;
        LogPosition place = fields.Position.IsNone ? fields.LostPosition : fields.Position;
        if (live.Guard is not null && live.Guard.Has(topic))
        {
            if (!place.IsNone && _dispatched[group] > place.Before)
            {
                subscription.Session.RetainedLeftToLog(subscription, new LogRange(group, place.Before, _dispatched[group]));
            }

            return true;
        }

        // What a restored session's subscription has been there for is the log's to give: it came from there, or will. When
        // the log has lost it meanwhile, reading it says so.
        LogPosition start = LogPosition.None;
        if (subscription.Options.QoS != QoS.AtMostOnce)
        {
            start = IsOfRestore(answer) ? subscription.StoredStartOf(group)
                : answer.IsOfSkipped && live.TryGetStart(group, out LogPosition began) ? began
                : LogPosition.None;
        }

        if (place > start && !start.IsNone && !subscription.Session.IsSkipped(group, place))
        {
            subscription.Session.RetainedLeftToLog(subscription, new LogRange(group, place.Before, place));
            return true;
        }

        // The pages before gave what has no place there, or one before the subscription.
        return answer.IsOfSkipped && !(place > start);
    }

    /// <summary>A message of a page of the log.</summary>
    public SharedMessage RentLogged(in PublishPacket packet, in TrunklineFields fields, int group)
    {
        SharedMessage message = Rent(packet, fields, fields.Retain);
        message.Group = group;
        message.Position = fields.Position;
        return message;
    }

    private SharedMessage Rent(in PublishPacket packet, in TrunklineFields fields, bool retain)
    {
        int length = ForwardableProperties.Measure(packet.Properties, strip: true);
        if (_properties.Length < length)
        {
            _properties = new byte[length * 2];
        }

        ForwardableProperties.Copy(packet.Properties, _properties, strip: true);
        return Context.Messages.Rent(new MessageContent
        {
            Topic = packet.Topic,
            Properties = _properties.AsSpan(0, length),
            Payload = packet.Payload,
            QoS = fields.OriginalQoS == 0 ? packet.QoS : (QoS)int.Min(fields.OriginalQoS, 2),
            Retain = retain,
            ExpiresAtMs = packet.Properties.MessageExpiryInterval is { } seconds ? Loop.NowMs + (seconds * 1000L) : long.MaxValue,
            Origin = fields.Origin,
        });
    }

    /// <summary>The next page is asked for when the session has taken the one before, so that retained messages never pile up in it.</summary>
    private void AskForMore(FilterRequest request)
    {
        if (HasRoom(request.Live!.Subscription.Session))
        {
            request.Send();
            return;
        }

        _morePages.Add(request);
        if (!_pageTimer.IsScheduled)
        {
            Loop.Timers.Schedule(_pageTimer, TimerWheel.SlotMs);
        }
    }

    private void AskForWaiting()
    {
        ContinueReplays();
        for (int i = _morePages.Count - 1; i >= 0; i--)
        {
            FilterRequest request = _morePages[i];
            if (request.Live!.IsRemoved)
            {
                _morePages.RemoveAt(i);
            }
            else if (HasRoom(request.Live.Subscription.Session))
            {
                _morePages.RemoveAt(i);
                request.Send();
            }
        }

        if ((_morePages.Count > 0 || _replaying.Count > 0) && !_pageTimer.IsScheduled)
        {
            Loop.Timers.Schedule(_pageTimer, TimerWheel.SlotMs);
        }
    }

    private static bool HasRoom(Session session) => session.Waiting == 0 && session.Channel is not { IsCongested: true };

    private sealed class PageTimer(LoopRouter router) : LoopTimer
    {
        protected override void OnDue() => router.AskForWaiting();
    }
}
