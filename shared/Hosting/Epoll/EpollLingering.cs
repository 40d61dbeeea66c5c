using System.Runtime.Versioning;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// A socket after its connection: closing it while the peer still sends would reset it and could take our last bytes (a
/// CONNACK that refuses, a DISCONNECT that says why) with it. So FIN goes out, and what comes is thrown away until the
/// peer's end, a limit in bytes or the linger time.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollLingering : LoopTimer, IEpollTarget
{
    private const int MaximumDiscardedBytes = 1024 * 1024;
    private const int ReadBytes = 2 * 1024;

    private readonly EpollLoop _loop;
    private readonly int _descriptor;
    private int _discarded;

    private EpollLingering(EpollLoop loop, int descriptor)
    {
        _loop = loop;
        _descriptor = descriptor;
    }

    /// <summary>Takes the descriptor over; false when the peer has ended already and it may be closed at once.</summary>
    public static bool TryBegin(EpollLoop loop, int descriptor, int lingerMs)
    {
        var lingering = new EpollLingering(loop, descriptor);
        if (lingering.Discard() || lingerMs <= 0)
        {
            return false;
        }

        _ = Libc.Shutdown(descriptor, Libc.ShutdownWrite);
        loop.Replace(descriptor, lingering);
        loop.Timers.Schedule(lingering, lingerMs);
        return true;
    }

    /// <inheritdoc/>
    public void OnEvents(uint events)
    {
        if (Discard())
        {
            Close();
        }
    }

    /// <inheritdoc/>
    public void OnLoopStopping() => Close();

    /// <inheritdoc/>
    protected override void OnDue() => Close();

    private bool Discard()
    {
        byte* buffer = stackalloc byte[ReadBytes];
        while (_discarded < MaximumDiscardedBytes)
        {
            nint received = Libc.Receive(_descriptor, buffer, ReadBytes, 0);
            if (received <= 0)
            {
                return received == 0 || Libc.LastError != Libc.Eagain;
            }

            _discarded += (int)received;
        }

        return true;
    }

    private void Close()
    {
        _loop.Timers.Cancel(this);
        _loop.Forget(_descriptor);
        _ = Libc.Close(_descriptor);
    }
}
