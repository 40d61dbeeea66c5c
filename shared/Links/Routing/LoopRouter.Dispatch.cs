using System.Runtime.InteropServices;
using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

internal sealed partial class LoopRouter
{
    private readonly List<LocalFilter> _matching = [];
    private readonly Dictionary<Session, uint> _lowest = [];
    private bool _isInForeignLog;

    /// <summary>Delivers one message to the sessions of this loop that hold the filters it came for.</summary>
    public void Dispatch(SharedMessage message, ReadOnlySpan<UpstreamFilter> matches, LinkGroup group)
    {
        if (matches[0].IsShared)
        {
            DispatchShared(message, matches[0], group.Index);
            return;
        }

        // What is in the log beside a foreign broker comes from there to the sessions that are fed by it.
        _isInForeignLog = group.Endpoint.Log is not null && message.Group >= 0 && message.QoS > QoS.AtMostOnce;
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

    /// <summary>Delivers one message of the log beside a foreign broker to the sessions of this loop that are fed by it.</summary>
    public void DispatchLogged(SharedMessage message, LinkGroup group)
    {
        _matching.Clear();
        var collector = new Collector(_matching);
        _topicIndex!.Match(message.Topic, ref collector);
        FanOut fanOut = Context.FanOut;
        fanOut.Begin(message);
        foreach (LocalFilter filter in _matching)
        {
            for (int i = 0; i < filter.Count; i++)
            {
                LiveSubscription live = filter[i];
                if (live.IsFedByLog && live.Accepts(group.Index, message.Position))
                {
                    SawLive(live, message);
                    fanOut.Add(live.Subscription);
                }
            }
        }

        fanOut.Deliver();
    }

    private bool Takes(LiveSubscription live, int group, LogPosition position) =>
        live.Accepts(group, position) && !(_isInForeignLog && live.IsFedByLog);

    private void AddAll(SharedMessage message, LocalFilter filter, int group)
    {
        LogPosition position = message.Position;
        for (int i = 0; i < filter.Count; i++)
        {
            LiveSubscription live = filter[i];
            if (Takes(live, group, position))
            {
                SawLive(live, message);
                Context.FanOut.Add(live.Subscription);
            }
        }
    }

    /// <summary>Only a message that was to be retained is newer than the retained one; any other leaves it as it stands.</summary>
    private void SawLive(LiveSubscription live, SharedMessage message)
    {
        if (message.Retain && live.Guard is { } guard && !guard.Saw(message.Topic))
        {
            Counters.Add(LinkCounter.RetainedUnguarded);
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
                if (Takes(live, group, LogPosition.None) && Has(matches, _lowest[live.Subscription.Session]))
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
                if (Takes(filter[i], group, LogPosition.None))
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
