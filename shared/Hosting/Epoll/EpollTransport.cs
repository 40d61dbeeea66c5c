using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>A TCP connection on an <see cref="EpollLoop"/>; it owns its descriptor.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollTransport : Transport, IEpollTarget
{
    private const int MaximumVectors = 64;
    private const uint BaseEvents = Libc.EpollIn | Libc.EpollRdHup | Libc.EpollEdge;

    private readonly ITransportOwner _owner;
    private readonly ulong _remote;
    private readonly int _descriptor;
    private Condition _condition;

    /// <summary>Takes a connected, non-blocking descriptor; <see cref="Open"/> begins to watch it.</summary>
    public EpollTransport(EpollLoop loop, int descriptor, in NetworkAddress remote, TransportSettings settings, ITransportOwner owner)
        : base(loop, remote.Family == NetworkFamily.IPv4 ? null : new ConnectionOrigin(owner.Identity, remote), settings)
    {
        _remote = remote.PackIPv4();
        _descriptor = descriptor;
        _owner = owner;
    }

    [Flags]
    private enum Condition : byte
    {
        None = 0,

        /// <summary>An edge said there is something to read, and the kernel has not said EAGAIN since.</summary>
        Readable = 1,

        /// <summary>The peer's end is in the kernel's queue: read until it comes.</summary>
        EndQueued = 2,

        /// <summary>Registered for EPOLLOUT as well, from the first EAGAIN on for good.</summary>
        WatchesOutput = 4,
    }

    private EpollLoop Epoll => Unsafe.As<EpollLoop>(Loop);

    /// <summary>Begins to watch; on the loop, after the handler was set.</summary>
    public void Open()
    {
        int error = Epoll.Watch(_descriptor, this, BaseEvents);
        if (error != 0)
        {
            CloseFor(TransportCloseReason.Error, TransportClose.Abort);
        }
    }

    /// <inheritdoc/>
    public void OnEvents(uint events)
    {
        if ((events & Libc.EpollOut) != 0 && IsBlocked)
        {
            Unblock();
        }

        if ((events & ~Libc.EpollOut) == 0)
        {
            return;
        }

        _condition |= Condition.Readable;
        if ((events & (Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr)) != 0)
        {
            _condition |= Condition.EndQueued;
        }

        if (MayReceive)
        {
            Receive();
        }
        else if ((events & Libc.EpollErr) != 0 && HasSocketError())
        {
            // A paused reader learns of a reset at once: nobody is left to be held back.
            OnPeerEnded(TransportCloseReason.Reset);
        }
    }

    /// <inheritdoc/>
    public void OnLoopStopping() => Terminate(TransportCloseReason.LoopStopped, aborted: false);

    /// <inheritdoc/>
    protected override ConnectionOrigin DescribeOrigin() => new(_owner.Identity, NetworkAddress.UnpackIPv4(_remote));

    /// <inheritdoc/>
    protected override NetworkAddress DescribeRemote() => NetworkAddress.UnpackIPv4(_remote);

    /// <inheritdoc/>
    protected override void OnReady()
    {
        if ((_condition & Condition.Readable) != 0)
        {
            Receive();
        }
    }

    /// <inheritdoc/>
    protected override void SendOutput()
    {
        while (OutputHead is { } head && MayLeave())
        {
            nint sent;
            if (head.Next is null || !head.IsPinned)
            {
                fixed (byte* start = head.Written)
                {
                    sent = Libc.Send(_descriptor, start, head.Length, Libc.MsgNoSignal);
                }
            }
            else
            {
                sent = SendVectors(head);
            }

            if (sent >= 0)
            {
                CountSent((int)sent);
                Sent((int)sent);
                if (UnsentBytes == 0)
                {
                    return;
                }

                continue;
            }

            int error = Libc.LastError;
            if (error == Libc.Eagain)
            {
                SetBlocked();
                return;
            }

            if (error != Libc.Eintr)
            {
                OnSendFailed(TransportCloseReason.Reset);
                return;
            }
        }
    }

    /// <inheritdoc/>
    protected override void OnBlocked()
    {
        if ((_condition & Condition.WatchesOutput) == 0)
        {
            _condition |= Condition.WatchesOutput;
            Epoll.Rewatch(_descriptor, BaseEvents | Libc.EpollOut);
        }
    }

    /// <inheritdoc/>
    protected override void OnLeaving(Loop from, Loop target)
    {
        ((EpollLoop)from).Unwatch(_descriptor);

        // Registering at the target reports anew what is readable.
        _condition &= ~Condition.Readable;
    }

    /// <inheritdoc/>
    protected override void OnArrived(Loop to)
    {
        uint events = (_condition & Condition.WatchesOutput) != 0 ? BaseEvents | Libc.EpollOut : BaseEvents;
        int error = ((EpollLoop)to).Watch(_descriptor, this, events);
        if (error != 0)
        {
            CloseFor(TransportCloseReason.Error, TransportClose.Abort);
        }
    }

    /// <inheritdoc/>
    protected override void OnTerminated(TransportCloseReason reason, bool aborted)
    {
        // Said first: whoever sees the close finds the count, and its place free.
        _owner.OnTransportClosed(this, reason);
        EpollLoop loop = Epoll;
        if (aborted)
        {
            // {on, 0 s}: close sends RST and drops what is queued.
            long linger = 1;
            _ = Libc.SetOption(_descriptor, Libc.SolSocket, Libc.SoLinger, &linger, sizeof(long));
        }

        if (aborted || reason != TransportCloseReason.LocalClose || !EpollLingering.TryBegin(loop, _descriptor, Settings.LingerMs))
        {
            loop.Forget(_descriptor);
            _ = Libc.Close(_descriptor);
        }
    }

    private bool HasSocketError()
    {
        int error = 0;
        int length = sizeof(int);
        return Libc.GetOption(_descriptor, Libc.SolSocket, Libc.SoError, &error, &length) == 0 && error != 0;
    }

    private void Receive()
    {
        int budget = Loop.Options.InputPerTurnBytes;
        while (MayReceive)
        {
            if (budget <= 0)
            {
                MarkReady();
                return;
            }

            Span<byte> room = PrepareReceive();
            if (room.IsEmpty)
            {
                return;
            }

            nint received;
            fixed (byte* start = room)
            {
                received = Libc.Receive(_descriptor, start, room.Length, 0);
            }

            if (received <= 0)
            {
                if (!OnNothingReceived(received))
                {
                    return;
                }

                continue;
            }

            budget -= (int)received;
            CountReceived((int)received);
            bool isDrained = received < room.Length && (_condition & Condition.EndQueued) == 0;
            if (isDrained)
            {
                // Less than asked for: the queue was empty then, and what comes later raises a new edge.
                _condition &= ~Condition.Readable;
            }

            Received((int)received);
            if (isDrained)
            {
                return;
            }
        }
    }

    /// <summary>Returns whether to try again.</summary>
    private bool OnNothingReceived(nint received)
    {
        int error = received == 0 ? 0 : Libc.LastError;
        if (error == Libc.Eintr)
        {
            return true;
        }

        _condition &= ~Condition.Readable;
        if (received == 0)
        {
            OnPeerEnded(TransportCloseReason.PeerClosed);
        }
        else if (error != Libc.Eagain)
        {
            OnPeerEnded(TransportCloseReason.Reset);
        }

        return false;
    }

    private nint SendVectors(BufferChunk head)
    {
        Libc.IoVector* vectors = stackalloc Libc.IoVector[MaximumVectors];
        int count = 0;
        for (BufferChunk? chunk = head; chunk is { IsPinned: true } && count < MaximumVectors; chunk = chunk.Next)
        {
            vectors[count].Base = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(chunk.Array)) + chunk.Start;
            vectors[count].Length = chunk.Length;
            count++;
        }

        Libc.MessageHeader message = default;
        message.Vectors = vectors;
        message.VectorCount = count;
        return Libc.SendMessage(_descriptor, &message, Libc.MsgNoSignal);
    }
}
