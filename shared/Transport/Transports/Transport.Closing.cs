namespace Trunkline.Transports;

/// <summary>Ending: one place decides the reason, one place buries.</summary>
public abstract partial class Transport
{
    /// <summary>Closes with a reason of its own, for layers and derived transports; the first reason stands.</summary>
    protected void CloseFor(TransportCloseReason reason, TransportClose how) =>
        End(reason, how == TransportClose.Abort ? TransportState.Aborting : TransportState.Closing);

    /// <summary>Whether it is buried: nothing may be called any more.</summary>
    protected bool IsTerminated => (_state & TransportState.Closed) != 0;

    /// <summary>Reports an exception that a derived transport contained.</summary>
    protected void Report(Exception exception) => _loop.ReportFault(this, exception);

    /// <summary>Counts bytes from a socket.</summary>
    protected void CountReceived(int bytes) => _loop.CountReceived(bytes);

    /// <summary>Counts bytes to a socket.</summary>
    protected void CountSent(int bytes) => _loop.CountSent(bytes);

    /// <summary>Frees the descriptor, or tells the other end. <paramref name="aborted"/>: reset rather than an orderly end.</summary>
    protected abstract void OnTerminated(TransportCloseReason reason, bool aborted);

    /// <summary>Buries it now: frees everything and tells the handler. For the loop itself; a handler calls <see cref="Close"/>.</summary>
    protected internal void Terminate(TransportCloseReason reason, bool aborted)
    {
        if ((_state & TransportState.Closed) != 0)
        {
            return;
        }

        _state |= TransportState.Closed;
        if (IsBlocked)
        {
            _state &= ~TransportState.Blocked;
            _loop.Timers.Cancel(_sendDeadline!);
        }

        if (reason == TransportCloseReason.Withdrawn)
        {
            OnWithdrawn();
        }

        DropOutput();
        if (_rest is not null)
        {
            _loop.Buffers.Return(_rest);
            _rest = null;
        }

        OnTerminated(reason, aborted);
        ITransportHandler handler = _handler;
        _handler = UnsetHandler.Instance;
        try
        {
            handler.OnClosed(reason);
        }
        catch (Exception exception)
        {
            _loop.ReportFault(this, exception);
        }
    }

    private void End(TransportCloseReason reason, TransportState how)
    {
        if ((_state & TransportState.Closed) != 0)
        {
            return;
        }

        if ((_state & TransportState.Ending) == 0)
        {
            _closeReason = reason;
        }
        else if (how == TransportState.Failed && _closeReason == TransportCloseReason.LocalClose)
        {
            // The peer went while our last bytes waited; that we closed stays the reason.
        }
        else if (how == TransportState.Closing)
        {
            return;
        }

        _state |= how;
        MarkDirty();
    }
}
