using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <content>Messages of shares: to which session they go, and what becomes of them, told to their group once a turn.</content>
internal sealed partial class LoopRouter : IEndOfTurn
{
    private readonly ShareReport?[] _reports;
    private readonly Random _random;
    private bool _reportsListed;

    /// <inheritdoc/>
    public void FinishShared(Session session, in SharedPlace place)
    {
        NoteLeft(session, place);
        Report(place, ShareWord.Done);
    }

    /// <inheritdoc/>
    public void ReturnShared(Session session, in SharedPlace place, SharedMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        NoteLeft(session, place);
        if (_filters.Find(place.Share) is { } filter && ChooseMember(filter, message, place.Group, mustHaveRoom: true) is { } member
            && !ReferenceEquals(member.Subscription.Session, session))
        {
            Counters.Add(LinkCounter.SharedPassedOn);
            Hand(member, message);
        }
        else
        {
            Report(place, ShareWord.Back);
        }
    }

    /// <inheritdoc/>
    public void TakeShared(Session session, in SharedPlace place, ushort packetId) => Report(place, ShareWord.Take, session, packetId);

    /// <summary>The group has said which of the messages asked for are the sessions'.</summary>
    public void OnAnswer(ShareReport report)
    {
        int next = 0;
        int group = report.Receiver.Group.Index;
        foreach (ShareReport.Item item in report.Items)
        {
            if (item is not { Word: ShareWord.Take, Session: { } session })
            {
                continue;
            }

            bool isGranted = next < report.Answers.Length && report.Answers[next] == (byte)'g';
            next++;
            var place = new SharedPlace(item.Share, group, item.Position);
            if (!session.SharedTaken(item.PacketId, place, isGranted))
            {
                Report(place, ShareWord.Free, session);
            }
        }
    }

    /// <inheritdoc/>
    public void OnEndOfTurn()
    {
        _reportsListed = false;
        for (int group = 0; group < _reports.Length; group++)
        {
            ShareReport? report = _reports[group];
            _reports[group] = null;
            report?.Send();
        }
    }

    private void DispatchShared(SharedMessage message, UpstreamFilter upstream, int group)
    {
        bool isHandout = !message.Position.IsNone;
        if (upstream.LocalOf(Loop.Index) is { } filter && ChooseMember(filter, message, group, mustHaveRoom: false) is { } member)
        {
            Hand(member, message);
        }
        else if (isHandout)
        {
            Report(new SharedPlace(upstream.Text, group, message.Position), ShareWord.Back);
        }
        else
        {
            Counters.Add(LinkCounter.WithoutReceiver);
        }
    }

    private static void Hand(LiveSubscription member, SharedMessage message)
    {
        member.HandedOut += message.Position.IsNone ? 0 : 1;
        member.Subscription.Session.DeliverShared(message, member.Subscription);
    }

    private LiveSubscription? ChooseMember(LocalFilter filter, SharedMessage message, int group, bool mustHaveRoom) =>
        filter.Choose(new ShareChoice(Context.Strategies.Of(filter.Text.ShareName), group, message, mustHaveRoom, _random));

    private static void NoteLeft(Session session, in SharedPlace place)
    {
        if (session.FindSubscription(place.Share)?.RouterState is LiveSubscription { HandedOut: > 0 } live)
        {
            live.HandedOut--;
        }
    }

    private void Report(in SharedPlace place, ShareWord word, Session? session = null, ushort packetId = 0)
    {
        if (place.Group < 0 || place.Group >= _receivers.Length || !CanReadBacklog(place.Group))
        {
            // A group that is none of this tier's any more: nobody can say whose the message is.
            session?.SharedTaken(packetId, place, isGranted: false);
            return;
        }

        ShareReport report = _reports[place.Group] ??= new ShareReport(_receivers[place.Group], Loop.Index);
        report.Add(new ShareReport.Item(word, place.Share, place.Position, session, packetId));
        if (report.IsFull)
        {
            _reports[place.Group] = null;
            report.Send();
        }
        else if (!_reportsListed)
        {
            _reportsListed = true;
            Loop.AtEndOfTurn(this);
        }
    }
}
