namespace Trunkline.Transports;

/// <summary>
/// Output that may leave only while a permission holds. Whoever gave it may give the same to another process when this one
/// is held (SIGSTOP, a suspended machine), and a hold can fall anywhere between the look at the permission and the system
/// call that sends, so its age is looked at directly before that call.
/// </summary>
/// <remarks>
/// <code>
/// MarkPermitted, write ──► MayLeave, before each send: young enough ──► sent
///                               │ too old                         ▲
///                               ▼                                 │ SendWithheld: permitted anew
///                           withheld: nothing leaves ─► OnWithheld ┤
///                                                                 ▼ DropPermitted, or any close
///                                                         dropped; aborted where a part had left
/// </code>
/// Output without a mark pays one look at a flag per send. A layer is never withheld itself: it marks what lies below.
/// </remarks>
public abstract partial class Transport
{
    private const TransportState Permits = TransportState.Permitted | TransportState.Withheld | TransportState.PartlySent;

    /// <summary>Whether output is unsent that leaves by a permission.</summary>
    public virtual bool HoldsPermitted => _unsent > 0 && (_state & TransportState.Permitted) != 0;

    /// <summary>
    /// What is written from now on leaves by a permission that held at <paramref name="sinceMs"/>, in the loop's
    /// milliseconds; called between packets. Of several the oldest counts until all is sent. What was written before the
    /// first leaves at once: it needs none, and a CONNACK must neither wait nor be dropped with what follows it.
    /// </summary>
    public void MarkPermitted(long sinceMs)
    {
        CheckThread();
        if ((_state & TransportState.Permitted) == 0)
        {
            SendEarly(_loop);
            if (_unsent == 0)
            {
                _state &= ~TransportState.PartlySent;
            }

            _state |= TransportState.Permitted;
            _acceptedOrPermittedMs = (uint)sinceMs;
        }
        else if ((int)(_acceptedOrPermittedMs - (uint)sinceMs) > 0)
        {
            _acceptedOrPermittedMs = (uint)sinceMs;
        }
    }

    /// <summary>All that is unsent is permitted anew, since then: what was withheld is sent at once, unless that is too old again.</summary>
    public virtual void SendWithheld(long sinceMs)
    {
        CheckThread();
        if ((_state & TransportState.Permitted) != 0)
        {
            _acceptedOrPermittedMs = (uint)sinceMs;
            _state &= ~TransportState.Withheld;
            SendEarly(_loop);
            ForgetPermit();
        }
    }

    /// <summary>
    /// The permission is gone: what is unsent by it never leaves. What is written afterwards does, unless a part had left:
    /// then nothing could be understood after it, and the connection is aborted.
    /// </summary>
    public virtual void DropPermitted()
    {
        CheckThread();
        if (_unsent == 0 || (_state & TransportState.Permitted) == 0)
        {
            return;
        }

        if ((_state & TransportState.PartlySent) != 0)
        {
            AbortPermitted();
            return;
        }

        DropOutput();
        _loop.OutputWithdrawn?.Invoke();
    }

    /// <summary>
    /// Whether the output may leave now; asked by whoever makes the system call, before each. False: it is withheld, and the
    /// handler hears of it in the next turn.
    /// </summary>
    protected bool MayLeave()
    {
        if ((_state & TransportState.Permitted) == 0 || (uint)_loop.ReadClockMs() - _acceptedOrPermittedMs <= (uint)_loop.PermissionMs)
        {
            return true;
        }

        _state |= TransportState.Withheld;
        MarkReady();
        return false;
    }

    /// <summary>Aborts, for what is unsent may not leave and cannot be taken back.</summary>
    protected void AbortPermitted() => CloseFor(TransportCloseReason.Withdrawn, TransportClose.Abort);

    /// <summary>What a layer writes below leaves by the permission its own output has.</summary>
    protected void PermitBelow(Transport inner)
    {
        if ((_state & TransportState.Permitted) != 0)
        {
            inner.MarkPermitted(_acceptedOrPermittedMs);
        }
    }

    // Between steps of the handler's only: within one, bytes that leave early may be the beginning of a packet.
    private void ForgetPermit()
    {
        if (_unsent == 0)
        {
            _state &= ~Permits;
        }
    }

    /// <summary>It ends with output that may not leave.</summary>
    protected virtual void OnWithdrawn() => _loop.OutputWithdrawn?.Invoke();

    private void CallOnWithheld()
    {
        try
        {
            _handler.OnWithheld();
        }
        catch (Exception exception)
        {
            End(TransportCloseReason.HandlerFault, TransportState.Aborting);
            _loop.ReportFault(this, exception);
        }
    }
}
