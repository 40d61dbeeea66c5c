namespace Trunkline.Transports;

/// <summary>
/// One end of a connection inside the process, with a socket's behaviour: bytes come on a later step, a paused reader
/// makes the writer's <see cref="Transport.UnsentBytes"/> grow, and a writer that stays blocked runs into the send timeout.
/// </summary>
public sealed class MemoryTransport : Transport
{
    /// <summary>What a direction holds between the two ends, as a kernel's socket buffers would, in bytes.</summary>
    public const int DefaultCapacityBytes = 256 * 1024;

    private readonly MemoryPipe _incoming;
    private readonly MemoryPipe _outgoing;
    private readonly Delivery _delivery;
    private readonly Unblocking _unblocking;
    private MemoryTransport _peer = null!;

    private MemoryTransport(Loop loop, ConnectionOrigin origin, TransportSettings settings, MemoryPipe incoming, MemoryPipe outgoing)
        : base(loop, origin, settings)
    {
        _incoming = incoming;
        _outgoing = outgoing;
        _delivery = new Delivery(this);
        _unblocking = new Unblocking(this);
    }

    /// <summary>Makes two connected ends; each belongs to its loop from now on, so set its handler there.</summary>
    public static (MemoryTransport A, MemoryTransport B) CreatePair(
        Loop a, Loop b, TransportSettings? settings = null, ConnectionOrigin? origin = null, int capacityBytes = DefaultCapacityBytes)
    {
        settings ??= TransportSettings.Default;
        origin ??= ConnectionOrigin.Memory;
        var toB = new MemoryPipe(capacityBytes);
        var toA = new MemoryPipe(capacityBytes);
        var endA = new MemoryTransport(a, origin, settings, toA, toB);
        var endB = new MemoryTransport(b, origin, settings, toB, toA);
        endA._peer = endB;
        endB._peer = endA;
        return (endA, endB);
    }

    /// <inheritdoc/>
    protected override void OnReady()
    {
        int budget = Loop.Options.InputPerTurnBytes;
        while (MayReceive)
        {
            if (budget <= 0)
            {
                MarkReady();
                return;
            }

            BufferChunk? chunk = _incoming.Take(out PipeEnd end);
            if (chunk is null)
            {
                if (end != PipeEnd.Open)
                {
                    OnPeerEnded(end == PipeEnd.Aborted ? TransportCloseReason.Reset : TransportCloseReason.PeerClosed);
                }

                return;
            }

            int length = chunk.Length;
            budget -= length;
            Present(chunk.Written);
            if (_incoming.GiveBack(chunk, length))
            {
                _peer.Loop.Post(_peer._unblocking);
            }
        }
    }

    /// <inheritdoc/>
    protected override void SendOutput()
    {
        if (!MayLeave())
        {
            return;
        }

        BufferChunk? chain = DetachOutput();
        PipeWrite result = _outgoing.Write(ref chain, out BufferChunk? emptied);
        Loop.Buffers.ReturnChain(emptied);
        if (result == PipeWrite.ReaderGone)
        {
            Loop.Buffers.ReturnChain(chain);
            OnSendFailed(TransportCloseReason.Reset);
            return;
        }

        if (chain is not null)
        {
            ReattachOutput(chain);
            SetBlocked();
        }

        CheckLowWater();
        if (result == PipeWrite.TellReader)
        {
            _peer.Loop.Post(_peer._delivery);
        }
    }

    /// <inheritdoc/>
    protected override void OnBlocked()
    {
    }

    /// <inheritdoc/>
    protected override void OnLeaving(Loop from, Loop target)
    {
    }

    /// <inheritdoc/>
    protected override void OnArrived(Loop to) => MarkReady();

    /// <inheritdoc/>
    protected override void OnTerminated(TransportCloseReason reason, bool aborted)
    {
        if (_outgoing.EndWriting(aborted))
        {
            _peer.Loop.Post(_peer._delivery);
        }

        if (_incoming.EndReading())
        {
            _peer.Loop.Post(_peer._unblocking);
        }
    }

    private sealed class Delivery(MemoryTransport transport) : LoopWork
    {
        protected override void Run()
        {
            if (!transport.Loop.IsCurrent)
            {
                // It moved while the notice was under way.
                transport.Loop.Post(this);
                return;
            }

            transport._incoming.NoticeArrived();
            if (transport._incoming.IsAborted)
            {
                transport.OnPeerEnded(TransportCloseReason.Reset);
            }
            else
            {
                transport.MarkReady();
            }
        }
    }

    private sealed class Unblocking(MemoryTransport transport) : LoopWork
    {
        protected override void Run()
        {
            if (!transport.Loop.IsCurrent)
            {
                transport.Loop.Post(this);
                return;
            }

            transport.Unblock();
        }
    }
}
