using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// A loop that waits on epoll and owns its connections' descriptors. Linux only.
/// </summary>
/// <remarks>
/// Connections are watched edge-triggered: pausing, resuming and a send that would block then cost no epoll_ctl, and one
/// registration serves a connection's life. The price is that readiness must be remembered, which the transports do.
/// Listening sockets are level-triggered and exclusive, so that what one loop leaves another takes.
/// </remarks>
[SupportedOSPlatform("linux")]
public sealed unsafe class EpollLoop : Loop
{
    private const int EventsPerWait = 512;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly byte* _events;
    private readonly EpollTargets _targets = new();
    private bool _hasEvents;
    private bool _sleepsPrecisely;

    /// <summary>Makes a loop; <see cref="Loop.Start"/> begins it.</summary>
    public EpollLoop(LoopOptions options)
        : base(options)
    {
        _epoll = Libc.EpollCreate(Libc.CloseOnExec);
        _wake = Libc.EventFd(0, Libc.CloseOnExec | Libc.NonBlocking);
        if (_epoll < 0 || _wake < 0)
        {
            throw new IOException($"epoll is not to be had: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        _events = (byte*)NativeMemory.AllocZeroed((nuint)(EventsPerWait * EpollEvents.Size));

        // Edge-triggered, so that each write wakes and the counter never has to be read back.
        Control(Libc.EpollCtlAdd, _wake, Libc.EpollIn | Libc.EpollEdge);
    }

    /// <inheritdoc/>
    protected override bool HasEvents => _hasEvents;

    /// <summary>A level-triggered descriptor had an event: it may have one still, and raises no edge for it.</summary>
    internal void LookAgain() => _hasEvents = true;

    /// <summary>Watches a descriptor; loop thread only. Returns errno or 0.</summary>
    internal int Watch(int descriptor, IEpollTarget target, uint events)
    {
        _targets.Set(descriptor, target);
        return Control(Libc.EpollCtlAdd, descriptor, events);
    }

    /// <summary>Changes what is watched for.</summary>
    internal void Rewatch(int descriptor, uint events) => Control(Libc.EpollCtlMod, descriptor, events);

    /// <summary>Gives a watched descriptor another owner.</summary>
    internal void Replace(int descriptor, IEpollTarget target) => _targets.Set(descriptor, target);

    /// <summary>Forgets a descriptor that is about to be closed, which ends the watch by itself.</summary>
    internal void Forget(int descriptor) => _targets.Clear(descriptor);

    /// <summary>Ends the watch of a descriptor that lives on.</summary>
    internal void Unwatch(int descriptor)
    {
        _targets.Clear(descriptor);
        Control(Libc.EpollCtlDel, descriptor, 0);
    }

    /// <inheritdoc/>
    protected override int Wait(int timeoutMs)
    {
        int count = timeoutMs == 0
            ? Libc.EpollPoll(_epoll, _events, EventsPerWait, 0)
            : Libc.EpollWait(_epoll, _events, EventsPerWait, timeoutMs);
        _hasEvents = count == EventsPerWait;
        return Math.Max(0, count);
    }

    /// <inheritdoc/>
    protected override void Sleep(int microseconds)
    {
        if (!_sleepsPrecisely)
        {
            // A thread's sleeps may end 50 us late unless it asks for better, which would double the shortest of ours.
            _ = Libc.ThreadControl(Libc.SetTimerSlack, 1_000, 0, 0, 0);
            _sleepsPrecisely = true;
        }

        // An interrupted sleep is only a shorter one.
        var time = new Libc.TimeSpecification { Nanoseconds = microseconds * 1_000 };
        _ = Libc.NanoSleep(&time, null);
    }

    /// <inheritdoc/>
    protected override void Dispatch(int events)
    {
        for (int i = 0; i < events; i++)
        {
            byte* element = _events + (i * EpollEvents.Size);
            IEpollTarget? target = _targets[EpollEvents.Descriptor(element)];
            if (target is null)
            {
                continue;
            }

            try
            {
                target.OnEvents(EpollEvents.Events(element));
            }
            catch (Exception exception)
            {
                (target as Transport)?.Terminate(TransportCloseReason.Error, aborted: true);
                ReportFault(target, exception);
            }
        }
    }

    /// <inheritdoc/>
    protected override bool MayHaveMore(int events) => events == EventsPerWait;

    /// <inheritdoc/>
    protected override void Wake()
    {
        ulong one = 1;
        Libc.Write(_wake, &one, sizeof(ulong));
    }

    /// <inheritdoc/>
    protected override void OnStopping()
    {
        foreach (IEpollTarget target in _targets.All())
        {
            target.OnLoopStopping();
        }

        // Closing may have left sockets lingering for their peer; nobody will watch them any more.
        foreach (IEpollTarget target in _targets.All())
        {
            target.OnLoopStopping();
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (!IsCurrent)
        {
            _ = Libc.Close(_wake);
            _ = Libc.Close(_epoll);
            NativeMemory.Free(_events);
        }
    }

    /// <inheritdoc/>
    protected override bool TryWatchGuest(Loop guest)
    {
        // Edge-triggered, or each wait would ask the guest's descriptors once more; what a guest leaves it remembers itself.
        var loop = (EpollLoop)guest;
        return Watch(loop._epoll, new GuestTarget(loop), Libc.EpollIn | Libc.EpollEdge) == 0;
    }

    /// <inheritdoc/>
    protected override void UnwatchGuest(Loop guest) => Unwatch(((EpollLoop)guest)._epoll);

    private int Control(int operation, int descriptor, uint events)
    {
        byte* element = stackalloc byte[16];
        EpollEvents.Set(element, events, descriptor);
        return Libc.EpollControl(_epoll, operation, descriptor, element) < 0 ? Libc.LastError : 0;
    }

    /// <summary>Another loop's epoll, watched while this loop's thread runs it.</summary>
    private sealed class GuestTarget(EpollLoop loop) : IEpollTarget
    {
        public void OnEvents(uint events) => loop.LookAgain();

        public void OnLoopStopping()
        {
        }
    }
}
