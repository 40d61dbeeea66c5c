using System.Buffers;

namespace Trunkline.Transports;

/// <summary>Sending: bytes gather in chunks of the loop and leave at the end of the turn.</summary>
/// <remarks>
/// <code>
/// head -> [1 KiB, sent up to Start] -> [16 KiB] -> ... -> tail [.. End | free]      none when nothing is unsent
/// </code>
/// </remarks>
public abstract partial class Transport
{
    /// <summary>First of the chunks to send; null when there is nothing.</summary>
    protected BufferChunk? OutputHead => _outputHead;

    /// <summary>Bytes in that chain.</summary>
    protected int GatheredBytes => _unsent;

    /// <summary>Whether the last send was refused.</summary>
    protected bool IsBlocked => (_state & TransportState.Blocked) != 0;

    /// <inheritdoc/>
    void IBufferWriter<byte>.Advance(int count)
    {
        if (IsClosed)
        {
            return;
        }

        BufferChunk tail = _outputTail!;
        if ((uint)count > (uint)tail.Free.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(count));
        }

        if (count > 0)
        {
            tail.End += count;
            AfterWrite(count);
        }
    }

    /// <inheritdoc/>
    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint)
    {
        if (IsClosed)
        {
            return _loop.Discard(sizeHint);
        }

        BufferChunk chunk = WritableChunk(sizeHint);
        return chunk.Array.AsMemory(chunk.End);
    }

    /// <inheritdoc/>
    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) =>
        IsClosed ? _loop.Discard(sizeHint) : WritableChunk(sizeHint).Free;

    internal void SendEarly(Loop loop)
    {
        const TransportState NoOutput =
            TransportState.Blocked | TransportState.Aborting | TransportState.Closed | TransportState.Sending | TransportState.Withheld;
        if (_loop == loop && _unsent > 0 && (_state & NoOutput) == 0)
        {
            _state |= TransportState.Sending;
            try
            {
                SendOutput();
            }
            catch (Exception exception)
            {
                OnSendFailed(TransportCloseReason.Error);
                loop.ReportFault(this, exception);
            }
            finally
            {
                _state &= ~TransportState.Sending;
            }
        }
    }

    internal void EndTurn(Loop loop)
    {
        if (_loop != loop || (_state & TransportState.Dirty) == 0)
        {
            return;
        }

        _state &= ~TransportState.Dirty;
        if ((_state & TransportState.Closed) != 0)
        {
            return;
        }

        SendEarly(loop);
        ForgetPermit();
        if ((_state & (TransportState.Aborting | TransportState.Failed)) != 0)
        {
            Terminate(_closeReason, aborted: (_state & TransportState.Aborting) != 0);
        }
        else if ((_state & TransportState.Closing) != 0 && _unsent == 0)
        {
            Terminate(_closeReason, aborted: false);
        }
        else if ((_state & (TransportState.Closing | TransportState.Permitted)) == (TransportState.Closing | TransportState.Permitted))
        {
            // Its owner is gone, so nobody could say later whether the permission still holds.
            Terminate(TransportCloseReason.Withdrawn, aborted: true);
        }
    }

    /// <summary>
    /// Offers the output chain to the peer, if it <see cref="MayLeave"/>: takes what went with <see cref="Sent"/>, or says
    /// <see cref="SetBlocked"/>, or <see cref="OnSendFailed"/>. Never calls the handler.
    /// </summary>
    protected abstract void SendOutput();

    /// <summary>Begins to watch for the peer to take bytes, which ends in <see cref="Unblock"/>; the send timeout runs meanwhile.</summary>
    protected abstract void OnBlocked();

    /// <summary>Bytes left the chain's front; emptied chunks go back to the pool.</summary>
    protected void Sent(int count)
    {
        _unsent -= count;
        _state |= TransportState.PartlySent;
        while (count > 0)
        {
            BufferChunk head = _outputHead!;
            int part = Math.Min(count, head.Length);
            head.Start += part;
            count -= part;
            if (head.Length == 0)
            {
                _outputHead = head.Next;
                _loop.Buffers.Return(head);
            }
        }

        AfterSend();
    }

    /// <summary>Takes the whole chain off instead of copying it; what is not passed on goes back with <see cref="ReattachOutput"/>, then <see cref="CheckLowWater"/>.</summary>
    protected BufferChunk? DetachOutput()
    {
        BufferChunk? chain = _outputHead;
        _outputHead = null;
        _outputTail = null;
        _unsent = 0;
        _state |= TransportState.PartlySent;
        return chain;
    }

    /// <summary>Puts the rest of a detached chain back; nothing was written meanwhile.</summary>
    protected void ReattachOutput(BufferChunk chain)
    {
        _outputHead = chain;
        for (BufferChunk? chunk = chain; chunk is not null; chunk = chunk.Next)
        {
            _unsent += chunk.Length;
            _outputTail = chunk;
        }
    }

    /// <summary>The peer takes nothing now.</summary>
    protected void SetBlocked()
    {
        if (!IsBlocked)
        {
            _state |= TransportState.Blocked;
            _sendDeadline ??= new SendDeadline(this);
            _loop.Timers.Schedule(_sendDeadline, Settings.SendTimeoutMs);
            OnBlocked();
        }
    }

    /// <summary>The peer may take bytes again: sends at once, outside of a handler's call.</summary>
    protected void Unblock()
    {
        if (IsBlocked)
        {
            _state &= ~TransportState.Blocked;
            _loop.Timers.Cancel(_sendDeadline!);
        }

        SendEarly(_loop);
        ForgetPermit();
        if ((_state & TransportState.Ending) != 0)
        {
            MarkDirty();
        }

        CheckLowWater();
    }

    /// <summary>Tells the handler that it may write again, when it was above the high-water mark and is below the low one now.</summary>
    protected void CheckLowWater()
    {
        if ((_state & TransportState.AboveHigh) != 0 && UnsentBytes <= Settings.LowWaterBytes)
        {
            _state &= ~TransportState.AboveHigh;
            _state |= TransportState.WritableDue;
            MarkReady();
        }
    }

    /// <summary>Sending failed for good; what is unsent is lost.</summary>
    protected void OnSendFailed(TransportCloseReason reason)
    {
        DropOutput();
        End(reason, TransportState.Failed);
    }

    private void AfterSend()
    {
        if (_outputHead is null)
        {
            _outputTail = null;
        }

        CheckLowWater();
    }

    private void AfterWrite(int count)
    {
        if (UnsentBytes > Settings.MaximumUnsentBytes)
        {
            DropOutput();
            End(TransportCloseReason.OutputLimit, TransportState.Aborting);
            return;
        }

        _unsent += count;
        MarkDirty();
        if (_unsent >= _loop.Options.GatherPerTransportBytes)
        {
            SendEarly(_loop);
        }

        _loop.LimitGathered();
        if (UnsentBytes > Settings.HighWaterBytes)
        {
            _state |= TransportState.AboveHigh;
        }
    }

    private BufferChunk WritableChunk(int sizeHint)
    {
        BufferChunk? tail = _outputTail;
        if (tail is not null && tail.Free.Length >= Math.Max(sizeHint, 1))
        {
            return tail;
        }

        // A first short answer takes a small chunk; whoever fills it writes much and goes on in larger ones.
        int size = Math.Max(sizeHint, tail is null ? BufferPool.SmallBytes : BufferPool.MediumBytes);
        BufferChunk chunk = _loop.Buffers.Rent(size);
        if (tail is null)
        {
            _outputHead = chunk;
        }
        else
        {
            tail.Next = chunk;
        }

        _outputTail = chunk;
        _loop.CountGathered(chunk.Capacity);
        return chunk;
    }

    private void DropOutput()
    {
        _loop.Buffers.ReturnChain(_outputHead);
        _outputHead = null;
        _outputTail = null;
        _unsent = 0;
        _state &= ~Permits;
    }

    private sealed class SendDeadline(Transport transport) : LoopTimer
    {
        protected override void OnDue() => transport.CloseFor(TransportCloseReason.SendTimeout, TransportClose.Abort);
    }
}
