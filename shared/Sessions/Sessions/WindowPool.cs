namespace Trunkline.Sessions;

/// <summary>
/// Empty windows of one loop. A device that gets one message now and then needs a window for a moment only: it borrows
/// one, so that neither an idle device holds it nor a message allocates it. Loop thread only.
/// </summary>
internal sealed class WindowPool
{
    private const int MaximumKept = 1024;
    private const int MaximumKeptCapacity = 64;
    private readonly Stack<OutboundWindow> _free = new();

    private ulong _lastOrder;

    /// <summary>The next place in the order of sending, for any session of the loop.</summary>
    public ulong NextOrder() => ++_lastOrder;

    /// <summary>Messages in flight came from another node: what is sent from now on comes after them.</summary>
    public void RaiseOrder(ulong order) => _lastOrder = ulong.Max(_lastOrder, order);

    public OutboundWindow Rent(ushort lastPacketId)
    {
        OutboundWindow window = _free.TryPop(out OutboundWindow? kept) ? kept : new OutboundWindow();
        window.LastPacketId = lastPacketId;
        return window;
    }

    public void Return(OutboundWindow window)
    {
        if (_free.Count < MaximumKept && window.Capacity <= MaximumKeptCapacity)
        {
            _free.Push(window);
        }
    }
}
