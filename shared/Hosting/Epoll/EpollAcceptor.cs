using System.Buffers.Binary;
using System.Runtime.Versioning;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>One loop's watch on a listening socket. Loop thread only.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollAcceptor : LoopTimer, IEpollTarget
{
    private const int AcceptsPerTurn = 64;
    private const int PauseMs = 100;
    private const int AddressBytes = 28;

    private readonly Listener _listener;
    private readonly int _descriptor;
    private bool _isWatching;

    public EpollAcceptor(EpollLoop loop, Listener listener, int descriptor)
    {
        Loop = loop;
        _listener = listener;
        _descriptor = descriptor;
    }

    public EpollLoop Loop { get; }

    public void Start()
    {
        _isWatching = true;
        int error = Loop.Watch(_descriptor, this, Libc.EpollIn | Libc.EpollExclusive);
        if (error != 0)
        {
            throw new IOException($"Listener {_listener.Options.Name} cannot be watched: {Libc.Describe(error)}");
        }
    }

    /// <summary>Takes what waits, and no more after it.</summary>
    public void Stop()
    {
        Loop.Timers.Cancel(this);
        AcceptAll();
        OnLoopStopping();
    }

    /// <summary>Takes all that waits in the kernel's queue.</summary>
    public void AcceptAll()
    {
        while (TryAccept())
        {
        }
    }

    /// <inheritdoc/>
    public void OnEvents(uint events)
    {
        int accepted = 0;
        while (accepted < AcceptsPerTurn && TryAccept())
        {
            accepted++;
        }

        if (accepted == AcceptsPerTurn)
        {
            // What remains is reported again in the next turn, to this loop or another.
            Loop.LookAgain();
        }
    }

    /// <inheritdoc/>
    public void OnLoopStopping()
    {
        if (_isWatching)
        {
            _isWatching = false;
            Loop.Unwatch(_descriptor);
        }
    }

    /// <inheritdoc/>
    protected override void OnDue() => Start();

    private bool TryAccept()
    {
        byte* address = stackalloc byte[AddressBytes];
        int length = AddressBytes;
        int descriptor = Libc.Accept(_descriptor, address, &length, Libc.NonBlocking | Libc.CloseOnExec);
        if (descriptor < 0)
        {
            int error = Libc.LastError;
            if (error is Libc.Emfile or Libc.Enfile or Libc.Enobufs or Libc.Enomem)
            {
                Pause(Libc.Describe(error));
            }

            return error is Libc.Econnaborted or Libc.Eintr;
        }

        // The kernel gives the lowest number that is free, so a high one says that nearly all are in use.
        if ((ulong)descriptor + (ulong)_listener.Options.DescriptorReserve >= Libc.MaximumDescriptors())
        {
            // Said first: whoever sees the close finds the line and the count.
            _listener.OnDescriptorsShort();
            Pause($"only {_listener.Options.DescriptorReserve} descriptors (Listeners:n:DescriptorReserve) are left for links, directory and files");
            _ = Libc.Close(descriptor);
            return false;
        }

        if (_listener.IsMemoryLow)
        {
            if (PauseWatching())
            {
                _listener.OnMemoryLow(PauseMs);
            }

            _ = Libc.Close(descriptor);
            return false;
        }

        NetworkAddress peer = ReadAddress(new ReadOnlySpan<byte>(address, length));
        if (!_listener.TryAdmit(peer))
        {
            _ = Libc.Close(descriptor);
            return true;
        }

        var transport = new EpollTransport(Loop, descriptor, peer, _listener.Settings, _listener);
        _listener.OnAccepted(transport);
        transport.Open();
        return true;
    }

    /// <summary>Level-triggered, the socket would spin: looks again in a while. Connections that live are untouched.</summary>
    private void Pause(string why)
    {
        if (PauseWatching())
        {
            _listener.OnAcceptPaused(PauseMs, why);
        }
    }

    private bool PauseWatching()
    {
        if (!_isWatching)
        {
            return false;
        }

        OnLoopStopping();
        Loop.Timers.Schedule(this, PauseMs);
        return true;
    }

    // sockaddr_in: family, port, 4 bytes; sockaddr_in6: family, port, flow, 16 bytes, scope.
    private static NetworkAddress ReadAddress(ReadOnlySpan<byte> address)
    {
        if (address.Length < 8)
        {
            return default;
        }

        ushort port = BinaryPrimitives.ReadUInt16BigEndian(address[2..]);
        return BitConverter.ToUInt16(address) switch
        {
            Libc.AfInet => NetworkAddress.FromBytes(address.Slice(4, 4), port),
            Libc.AfInet6 => NetworkAddress.FromBytes(address.Slice(8, 16), port),
            _ => default,
        };
    }
}
