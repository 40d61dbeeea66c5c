namespace Trunkline.Transports;

/// <summary>Receiving: from the loop's buffer to the handler, and keeping what it leaves.</summary>
public abstract partial class Transport
{
    // A rest below this is copied in front of the next bytes; a larger one grows where it is, so that a big packet is
    // copied a bounded number of times.
    private const int CopiedRestBytes = BufferPool.MediumBytes;

    private const TransportState NoInput = TransportState.Paused | TransportState.Moving | TransportState.Ending | TransportState.Closed;

    /// <summary>Whether the handler may be given bytes now.</summary>
    protected bool MayReceive => (_state & NoInput) == 0;

    /// <summary>One step of input in a turn of its own: retained bytes, OnWritable, then <see cref="OnReady"/>.</summary>
    internal void ContinueInput(Loop loop)
    {
        if (_loop != loop || (_state & TransportState.Ready) == 0)
        {
            return;
        }

        _state &= ~TransportState.Ready;
        if ((_state & TransportState.Closed) != 0)
        {
            return;
        }

        if ((_state & (TransportState.WritableDue | TransportState.Moving)) == TransportState.WritableDue)
        {
            _state &= ~TransportState.WritableDue;
            CallOnWritable();
        }

        if ((_state & (TransportState.Withheld | TransportState.Moving)) == TransportState.Withheld)
        {
            CallOnWithheld();
        }

        if ((_state & TransportState.PresentRest) != 0 && MayReceive)
        {
            _state &= ~TransportState.PresentRest;
            PresentRest();
        }

        if (MayReceive)
        {
            OnReady();
        }
    }

    /// <summary>Goes on receiving after a pause, a move or a full turn.</summary>
    protected abstract void OnReady();

    /// <summary>
    /// The room for the next bytes: behind the retained ones. At most one turn's worth; empty when there is no memory for a
    /// packet this large, and the connection ends.
    /// </summary>
    protected Span<byte> PrepareReceive()
    {
        Span<byte> buffer = _loop.ReceiveBuffer;
        int most = _loop.Options.InputPerTurnBytes;
        if (_rest is null)
        {
            return buffer[..most];
        }

        if (_rest.Length < CopiedRestBytes)
        {
            _rest.Written.CopyTo(buffer);
            return buffer.Slice(_rest.Length, most);
        }

        if (_rest.Free.Length < CopiedRestBytes && !TryGrowRest(CopiedRestBytes))
        {
            return default;
        }

        Span<byte> free = _rest.Free;
        return free.Length > most ? free[..most] : free;
    }

    /// <summary>Presents what was put into <see cref="PrepareReceive"/>'s room, in the same step.</summary>
    protected void Received(int count)
    {
        if (_rest is null)
        {
            Present(_loop.ReceiveBuffer.AsSpan(0, count));
        }
        else if (_rest.Length < CopiedRestBytes)
        {
            Span<byte> all = _loop.ReceiveBuffer.AsSpan(0, _rest.Length + count);
            int consumed = CallOnReceived(all);
            ReplaceRest(all[consumed..]);
        }
        else
        {
            _rest.End += count;
            PresentRest();
        }

        ShedIfShort();
    }

    /// <summary>Presents bytes that lie elsewhere than in the loop's receive buffer; they are copied if not consumed.</summary>
    protected void Present(ReadOnlySpan<byte> bytes)
    {
        if (!MayReceive)
        {
            Keep(bytes);
        }
        else if (_rest is null)
        {
            int consumed = CallOnReceived(bytes);
            Keep(bytes[consumed..]);
        }
        else
        {
            Keep(bytes);
            PresentRest();
        }

        ShedIfShort();
    }

    /// <summary>
    /// When memory is short, a large packet that is not whole is the first thing to let go of: nothing of it was acted on yet.
    /// </summary>
    private void ShedIfShort()
    {
        if (_rest is { } rest && rest.Length > BufferPool.LargeBytes && _loop.Memory.IsShort && Settings.ShedsInput && MayReceive)
        {
            End(TransportCloseReason.MemoryShort, TransportState.Aborting);
        }
    }

    /// <summary>The peer ended its direction: what was gathered is tried once more, then the connection closes.</summary>
    protected void OnPeerEnded(TransportCloseReason reason) => End(reason, TransportState.Failed);

    private void PresentRest()
    {
        BufferChunk? rest = _rest;
        if (rest is null)
        {
            return;
        }

        int consumed = CallOnReceived(rest.Written);
        rest.Start += consumed;
        if (rest.Length == 0)
        {
            _rest = null;
            _loop.Buffers.Return(rest);
        }
        else if (rest.Length < CopiedRestBytes && rest.Capacity > BufferPool.MediumBytes)
        {
            ReplaceRest(rest.Written);
        }
    }

    /// <summary>Calls the handler, again as long as one hands over to another; returns what was consumed.</summary>
    private int CallOnReceived(ReadOnlySpan<byte> bytes)
    {
        int total = 0;
        while (total < bytes.Length && MayReceive)
        {
            ITransportHandler handler = _handler;
            int consumed;
            try
            {
                consumed = handler.OnReceived(bytes[total..]);
                if ((uint)consumed > (uint)(bytes.Length - total))
                {
                    throw new InvalidOperationException($"{handler} consumed {consumed} of {bytes.Length - total} bytes.");
                }
            }
            catch (Exception exception)
            {
                End(TransportCloseReason.HandlerFault, TransportState.Aborting);
                _loop.ReportFault(this, exception);
                return bytes.Length;
            }

            total += consumed;
            if (ReferenceEquals(handler, _handler))
            {
                break;
            }
        }

        return total;
    }

    private void CallOnWritable()
    {
        try
        {
            _handler.OnWritable();
        }
        catch (Exception exception)
        {
            End(TransportCloseReason.HandlerFault, TransportState.Aborting);
            _loop.ReportFault(this, exception);
        }
    }

    /// <summary>Appends to what is retained.</summary>
    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || (_state & TransportState.Closed) != 0)
        {
            return;
        }

        _rest ??= RentForInput(bytes.Length);
        if (_rest is null)
        {
            return;
        }

        while (_rest.Free.Length < bytes.Length)
        {
            if (!TryGrowRest(bytes.Length))
            {
                return;
            }
        }

        _rest.Append(bytes);
    }

    /// <summary>Retains exactly these bytes, which may lie in the present rest.</summary>
    private void ReplaceRest(ReadOnlySpan<byte> bytes)
    {
        BufferChunk? old = _rest;
        _rest = null;
        if (!bytes.IsEmpty)
        {
            _rest = RentForInput(bytes.Length);
            _rest?.Append(bytes);
        }

        if (old is not null)
        {
            _loop.Buffers.Return(old);
        }
    }

    /// <summary>Doubles the room, which so is at most about twice what was received, whatever a packet claims.</summary>
    private bool TryGrowRest(int needed)
    {
        BufferChunk old = _rest!;
        if (RentForInput(Math.Max(old.Length * 2, checked(old.Length + needed))) is not { } larger)
        {
            return false;
        }

        larger.Append(old.Written);
        _rest = larger;
        _loop.Buffers.Return(old);
        return true;
    }

    /// <summary>
    /// Room for input. Null when it is a large one that nothing is left for: a device's connection ends then, before the memory
    /// is taken, for beyond the limit the runtime ends the process.
    /// </summary>
    private BufferChunk? RentForInput(int bytes)
    {
        bool mayEnd = bytes > BufferPool.LargeBytes && Settings.ShedsInput;
        if (!mayEnd || _loop.Memory.Allows(bytes))
        {
            try
            {
                return (_state & TransportState.Moving) != 0 ? _loop.Buffers.RentForTravel(bytes) : _loop.Buffers.Rent(bytes);
            }
            catch (OutOfMemoryException) when (mayEnd)
            {
                // Others took memory faster than its watch looks.
            }
        }

        End(TransportCloseReason.MemoryShort, TransportState.Aborting);
        return null;
    }
}
