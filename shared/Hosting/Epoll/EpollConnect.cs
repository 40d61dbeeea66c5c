using System.Buffers.Binary;
using System.Runtime.Versioning;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Connects a descriptor without blocking its loop, to the first address that answers.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollConnect : LoopWork, IEpollTarget
{
    private const int SocketAddressBytes = 28;

    private readonly EpollLoop _loop;
    private readonly NetworkAddress[] _targets;
    private readonly TcpConnector _connector;
    private readonly IConnectAttempt _attempt;
    private readonly Timeout _timeout;
    private int _next;
    private int _descriptor = -1;

    public EpollConnect(EpollLoop loop, NetworkAddress[] targets, TcpConnector connector, IConnectAttempt attempt)
    {
        _loop = loop;
        _targets = targets;
        _connector = connector;
        _attempt = attempt;
        _timeout = new Timeout(this);
    }

    /// <inheritdoc/>
    public void OnEvents(uint events)
    {
        int error = 0;
        int length = sizeof(int);
        _ = Libc.GetOption(_descriptor, Libc.SolSocket, Libc.SoError, &error, &length);
        if (error != 0)
        {
            Drop();
            TryNext(Libc.Describe(error));
            return;
        }

        int descriptor = _descriptor;
        _descriptor = -1;
        _loop.Timers.Cancel(_timeout);
        _loop.Unwatch(descriptor);
        _connector.OnConnected(_loop, descriptor, _targets[_next - 1], _attempt);
    }

    /// <inheritdoc/>
    public void OnLoopStopping()
    {
        Drop();
        _loop.Timers.Cancel(_timeout);
    }

    /// <inheritdoc/>
    protected override void Run()
    {
        _loop.Timers.Schedule(_timeout, _connector.TimeoutMs);
        TryNext("the name has no address");
    }

    private void TryNext(string lastError)
    {
        string error = lastError;
        while (_next < _targets.Length)
        {
            error = Begin(_targets[_next++]);
            if (error.Length == 0)
            {
                return;
            }
        }

        _loop.Timers.Cancel(_timeout);
        _connector.OnFailed(_attempt, error);
    }

    /// <summary>Begins to connect; returns the error, or nothing when it is under way.</summary>
    private string Begin(in NetworkAddress target)
    {
        bool isIPv4 = target.Family == NetworkFamily.IPv4;
        _descriptor = Libc.Socket(isIPv4 ? Libc.AfInet : Libc.AfInet6, Libc.SockStream | Libc.NonBlocking | Libc.CloseOnExec, 0);
        if (_descriptor < 0)
        {
            return Libc.Describe(Libc.LastError);
        }

        int one = 1;
        _ = Libc.SetOption(_descriptor, Libc.IpProtoTcp, Libc.TcpNoDelay, &one, sizeof(int));

        AskForAnyPort();
        int error = BindLocal(target.Family);
        if (error != 0)
        {
            Drop();
            return $"cannot dial from {_connector.LocalAddress.HostToString()}: {Libc.Describe(error)}";
        }

        Span<byte> address = stackalloc byte[SocketAddressBytes];
        int addressLength = WriteSocketAddress(target, address);
        int result;
        fixed (byte* start = address)
        {
            result = Libc.Connect(_descriptor, start, addressLength);
            if (result < 0)
            {
                error = Libc.LastError;
            }
        }

        if (error != 0 && error != Libc.Einprogress)
        {
            Drop();
            return Libc.Describe(error);
        }

        error = _loop.Watch(_descriptor, this, Libc.EpollOut | Libc.EpollEdge);
        return error == 0 ? "" : Libc.Describe(error);
    }

    /// <summary>
    /// Has the kernel take ports one by one. By default connect() looks at every second port of the range first, so with
    /// half of the range in use towards a target each further call walks that half (2 ms here) before it tries the others.
    /// </summary>
    private void AskForAnyPort()
    {
        // A range of the socket's own ends that. A bound outside the system's range is ignored, so this one is the system's.
        // Kernels before 6.3 do not know the option and search as they always did.
        const int LowestIsOneHighestIsUnset = 1;
        int range = LowestIsOneHighestIsUnset;
        _ = Libc.SetOption(_descriptor, Libc.IpProtoIp, Libc.IpLocalPortRange, &range, sizeof(int));
    }

    /// <summary>Binds to the connector's own address, if it has one of this family; returns errno or 0.</summary>
    private int BindLocal(NetworkFamily family)
    {
        NetworkAddress local = _connector.LocalAddress;
        if (local.Family != family)
        {
            return 0;
        }

        // The port is chosen when connecting, among those free towards that target: 28,000 for each target, not in all.
        int one = 1;
        _ = Libc.SetOption(_descriptor, Libc.IpProtoIp, Libc.IpBindAddressNoPort, &one, sizeof(int));
        Span<byte> address = stackalloc byte[SocketAddressBytes];
        int length = WriteSocketAddress(local, address);
        fixed (byte* start = address)
        {
            return Libc.Bind(_descriptor, start, length) < 0 ? Libc.LastError : 0;
        }
    }

    /// <summary>Writes struct sockaddr_in or sockaddr_in6 (family, port, flow, 16 bytes, scope) and returns its length.</summary>
    private static int WriteSocketAddress(in NetworkAddress address, Span<byte> destination)
    {
        bool isIPv4 = address.Family == NetworkFamily.IPv4;
        Span<byte> mapped = stackalloc byte[16];
        destination.Clear();
        address.WriteMapped(mapped);
        BitConverter.TryWriteBytes(destination, (ushort)(isIPv4 ? Libc.AfInet : Libc.AfInet6));
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], address.Port);
        (isIPv4 ? mapped[12..] : mapped).CopyTo(destination[(isIPv4 ? 4 : 8)..]);
        return isIPv4 ? 16 : SocketAddressBytes;
    }

    private void Drop()
    {
        if (_descriptor >= 0)
        {
            _loop.Forget(_descriptor);
            _ = Libc.Close(_descriptor);
            _descriptor = -1;
        }
    }

    private void OnTimeout()
    {
        Drop();
        _connector.OnFailed(_attempt, _connector.NoAnswer);
    }

    private sealed class Timeout(EpollConnect connect) : LoopTimer
    {
        protected override void OnDue() => connect.OnTimeout();
    }
}
