using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>How a filter that a loop wants comes to stand upstream, and goes.</summary>
internal sealed partial class GroupReceiver
{
    private void Subscribe(FilterRequest request)
    {
        UpstreamFilter filter = FindOrAdd(request);
        filter.Loops |= 1UL << request.Loop;
        if (request.IsLasting && !filter.IsLasting)
        {
            filter.IsLasting = true;
            if (filter.State == UpstreamState.Live && !Group.IsForeign)
            {
                filter.State = UpstreamState.Queued;
                filter.Link!.Enqueue(filter);
            }
        }

        if (filter.State == UpstreamState.Live && (Group.IsForeign || !request.WantsRetained))
        {
            request.Start = filter.LiveAfter > Dispatched ? filter.LiveAfter : Dispatched;
            Activate(request);
            return;
        }

        Wait(filter, request);
    }

    private void Activate(FilterRequest request)
    {
        if (request.IsFedByLog && request.Reason == ReasonCode.Success)
        {
            _tail!.Ask(request);
            return;
        }

        Activated(request);
    }

    /// <summary>The filter is live, and its start is known; retained messages follow.</summary>
    public void Activated(FilterRequest request)
    {
        if (request.WantsRetained && request.Reason == ReasonCode.Success && _replay is not null)
        {
            request.IsReplayed = true;
            Answer(request);
            _replay.Ask(request);
            return;
        }

        Answer(request);
    }

    private static void Wait(UpstreamFilter filter, FilterRequest request)
    {
        (filter.Waiters ??= []).Add(request);
        if (filter.State == UpstreamState.Refused)
        {
            filter.State = UpstreamState.Queued;
            filter.Link!.Enqueue(filter);
        }

        if (request.WantsRetained && filter.State is UpstreamState.Subscribing or UpstreamState.Live)
        {
            filter.Link!.Ask(request);
        }
    }

    private UpstreamFilter FindOrAdd(FilterRequest request)
    {
        UpstreamFilter? filter = _filters.Find(request.Text);
        if (filter is null)
        {
            SharedStrategy strategy = request.Text.IsShared ? _context.Strategies.Of(request.Text.ShareName) : default;
            filter = new UpstreamFilter(request.Text, NextIdentifier(), _outboxes.Length, strategy) { Link = LinkWithRoom() };
            _filters.Add(filter);
            _byIdentifier.Add(filter);
            _counters.Add(LinkCounter.UpstreamFilters);
            filter.Link.Adopt(filter);
        }

        request.Filter = filter;
        return filter;
    }

    private void Release(FilterRequest request)
    {
        if (_filters.Find(request.Text) is not { } filter)
        {
            return;
        }

        filter.Loops &= ~(1UL << request.Loop);
        filter.Shared?.Set(request.Loop, 0, 0);

        if (filter.Loops == 0)
        {
            _filters.Remove(request.Text);
            _byIdentifier.Remove(filter.Identifier);
            _counters.Add(LinkCounter.UpstreamFilters, -1);
            filter.Link!.Unsubscribe(filter);
        }
    }
}
