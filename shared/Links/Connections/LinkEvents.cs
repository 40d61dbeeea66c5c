namespace Trunkline.Links;

/// <summary>
/// One log line per event of a link, held back while the link flaps: then one line per interval says how many events it
/// stands for. Loop thread only.
/// </summary>
internal sealed class LinkEvents(LinkGroup group, string link)
{
    private long _refilledMs;
    private int _credit = 2;
    private int _heldBack;

    public void Opened(long nowMs)
    {
        if (MayLog(nowMs))
        {
            LinksLog.LinkOpened(group.Log, group.Endpoint.Name, link, TakeHeldBack());
        }
    }

    public void Closed(long nowMs, bool wasOpen, string reason)
    {
        if (!MayLog(nowMs))
        {
            return;
        }

        if (wasOpen)
        {
            LinksLog.LinkLost(group.Log, group.Endpoint.Name, link, reason, TakeHeldBack());
        }
        else
        {
            LinksLog.ConnectFailed(group.Log, group.Endpoint.Name, link, reason, TakeHeldBack());
        }
    }

    private HeldBackLines TakeHeldBack()
    {
        var heldBack = new HeldBackLines(_heldBack);
        _heldBack = 0;
        return heldBack;
    }

    /// <summary>Two lines may come at once, so that a loss and its mending are both seen; then one per interval.</summary>
    private bool MayLog(long nowMs)
    {
        long interval = long.Max(1, group.Node.Options.LogIntervalMs);
        long refill = (nowMs - _refilledMs) / interval;
        if (refill > 0)
        {
            _credit = (int)long.Min(2, _credit + refill);
            _refilledMs = nowMs;
        }

        if (_credit == 0)
        {
            _heldBack++;
            return false;
        }

        _credit--;
        return true;
    }
}
