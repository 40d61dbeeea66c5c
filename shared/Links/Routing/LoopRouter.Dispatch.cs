using System.Runtime.InteropServices;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

internal sealed partial class LoopRouter
{
    private readonly List<LocalFilter> _matching = [];
    private readonly Dictionary<Session, uint> _lowest = [];

    /// <summary>Delivers one message to the sessions of this loop that hold the filters it came for.</summary>
    public void Dispatch(SharedMessage message, ReadOnlySpan<UpstreamFilter> matches, LinkGroup group)
    {
        if (matches[0].IsShared)
        {
            DispatchShared(message, matches[0], group.Index);
            return;
        }

        FanOut fanOut = Context.FanOut;
        fanOut.Begin(message);
        if (group.IsForeign && _topicIndex!.Count > 1)
        {
            AddForeign(message, matches, group.Index);
        }
        else
        {
            foreach (UpstreamFilter upstream in matches)
            {
                if (upstream.LocalOf(Loop.Index) is { } filter)
                {
                    AddAll(message, filter, group.Index);
                }
            }
        }

        fanOut.Deliver();
    }

    private void AddAll(SharedMessage message, LocalFilter filter, int group)
    {
        LogPosition position = message.Position;
        for (int i = 0; i < filter.Count; i++)
        {
            LiveSubscription live = filter[i];
            if (live.Accepts(group, position))
            {
                SawLive(live, message);
                Context.FanOut.Add(live.Subscription);
            }
        }
    }

    /// <summary>Only a message that was to be retained is newer than the retained one; any other leaves it as it stands.</summary>
    private static void SawLive(LiveSubscription live, SharedMessage message)
    {
        if (message.Retain)
        {
            live.Guard?.Saw(message.Topic);
        }
    }

    private void DispatchShared(SharedMessage message, UpstreamFilter upstream, int group)
    {
        if (upstream.LocalOf(Loop.Index)?.NextMember(group) is { } member)
        {
            member.Subscription.Session.DeliverShared(message, member.Subscription);
        }
        else
        {
            Counters.Add(LinkCounter.WithoutReceiver);
        }
    }

    /// <summary>
    /// A foreign broker may send one copy per overlapping filter. Each session takes the message at the copy with the
    /// lowest identifier among its own live matching filters, by all of them, and passes over the other copies.
    /// </summary>
    private void AddForeign(SharedMessage message, ReadOnlySpan<UpstreamFilter> matches, int group)
    {
        _matching.Clear();
        var collector = new Collector(_matching);
        _topicIndex!.Match(message.Topic, ref collector);
        if (_matching.Count == 1)
        {
            AddAll(message, _matching[0], group);
            return;
        }

        FindLowest(group);
        foreach (LocalFilter filter in _matching)
        {
            for (int i = 0; i < filter.Count; i++)
            {
                LiveSubscription live = filter[i];
                if (live.IsLiveAt(group) && Has(matches, _lowest[live.Subscription.Session]))
                {
                    SawLive(live, message);
                    Context.FanOut.Add(live.Subscription);
                }
            }
        }

        _lowest.Clear();
    }

    private void FindLowest(int group)
    {
        foreach (LocalFilter filter in _matching)
        {
            uint identifier = filter.Identifiers?[group] ?? uint.MaxValue;
            for (int i = 0; i < filter.Count; i++)
            {
                if (filter[i].IsLiveAt(group))
                {
                    ref uint lowest = ref CollectionsMarshal.GetValueRefOrAddDefault(_lowest, filter[i].Subscription.Session, out bool exists);
                    lowest = exists ? uint.Min(lowest, identifier) : identifier;
                }
            }
        }
    }

    private static bool Has(ReadOnlySpan<UpstreamFilter> matches, uint identifier)
    {
        foreach (UpstreamFilter match in matches)
        {
            if (match.Identifier == identifier)
            {
                return true;
            }
        }

        return false;
    }

    private readonly struct Collector(List<LocalFilter> matching) : IFilterCollector<LocalFilter>
    {
        public void Add(LocalFilter value) => matching.Add(value);
    }
}
