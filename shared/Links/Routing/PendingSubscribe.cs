using Trunkline.Protocol;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Links;

/// <summary>
/// One SUBSCRIBE on its way: which groups each item still waits for, and the retained messages that follow SUBACK. It is
/// its own timer: the deadline for groups that are away. Loop thread only.
/// </summary>
internal sealed class PendingSubscribe(LoopRouter router, SubscribeOperation operation) : LoopTimer
{
    private readonly PendingItem[] _items = new PendingItem[operation.Items.Count];
    private List<FilterRequest>? _pages;
    private int _count;
    private int _left = 1;
    private bool _isReplayed;

    public bool IsDone { get; private set; }

    /// <summary>Whether the device has its SUBACK.</summary>
    public bool IsAnswered { get; private set; }

    /// <summary>Whether it makes the filters of a restored session live: none is refused, a group that is away is waited for.</summary>
    public bool IsRestore => operation.IsRestore;

    public PendingItem Add(SubscribeItem item, LiveSubscription live)
    {
        var pending = new PendingItem(this, item, live);
        _items[_count++] = pending;
        return pending;
    }

    /// <summary>One more answer is awaited.</summary>
    public void Await(PendingItem item)
    {
        item.Left++;
        _left++;
    }

    /// <summary>All requests are out.</summary>
    public void Seal()
    {
        if (--_left == 0)
        {
            Finish();
        }
        else
        {
            router.Loop.Timers.Schedule(this, router.Options.SubscribeTimeoutMs);
        }
    }

    /// <summary>A group has answered.</summary>
    public void Answered(PendingItem item, FilterRequest answer)
    {
        item.Left--;
        if (ReasonCodes.IsError(answer.Reason) && !IsRestore)
        {
            Fail(item);
        }

        if (--_left == 0)
        {
            Finish();
        }
    }

    /// <summary>A group serves the filter; its retained messages are still awaited, but at the deadline no failure any more.</summary>
    public void Activated(PendingItem item)
    {
        item.Left--;
        _isReplayed = true;
    }

    /// <summary>The first retained messages of an activated item have come, or there are none.</summary>
    public void Replayed()
    {
        if (--_left == 0)
        {
            Finish();
        }
    }

    /// <summary>Retained messages that wait for SUBACK.</summary>
    public void Hold(FilterRequest page) => (_pages ??= []).Add(page);

    /// <inheritdoc/>
    protected override void OnDue()
    {
        foreach (PendingItem item in _items.AsSpan(0, _count))
        {
            if (item.Left > 0 && !IsRestore)
            {
                Fail(item);
            }
        }

        Finish();
    }

    private void DeliverRetained()
    {
        IsAnswered = true;
        _pages?.ForEach(router.DeliverPage);
        foreach (PendingItem item in _items.AsSpan(0, _count))
        {
            router.ContinueReplay(item.Live);
        }
    }

    private void Fail(PendingItem item)
    {
        if (!item.Item.IsRefused)
        {
            item.Item.Reason = ReasonCode.UnspecifiedError;
            router.Counters.Add(LinkCounter.SubscribesFailed);
        }
    }

    private void Finish()
    {
        if (IsDone)
        {
            return;
        }

        IsDone = true;
        router.Loop.Timers.Cancel(this);
        foreach (PendingItem item in _items.AsSpan(0, _count))
        {
            if (item.Item.IsRefused && item.Item.IsNew)
            {
                router.Remove(item.Live);
            }
        }

        if (operation.Session.IsEnded)
        {
            return;
        }

        // SUBACK first, then the retained messages of this subscription.
        operation.Complete();
        if (_pages is not null || _isReplayed)
        {
            operation.WhenAnswered(DeliverRetained);
        }
    }
}

/// <summary>One filter of a <see cref="PendingSubscribe"/>.</summary>
internal sealed class PendingItem(PendingSubscribe operation, SubscribeItem item, LiveSubscription live)
{
    public PendingSubscribe Operation { get; } = operation;

    public SubscribeItem Item { get; } = item;

    public LiveSubscription Live { get; } = live;

    /// <summary>Groups that have not answered yet.</summary>
    public int Left { get; set; }
}
