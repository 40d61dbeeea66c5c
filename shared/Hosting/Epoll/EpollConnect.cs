using System.Buffers.Binary;
using System.Runtime.Versioning;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Connects a descriptor without blocking its loop, to the first address that answers.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollConnect : LoopWork, IEpollTarget
{
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

        // sockaddr_in6 is the longer one: family, port, flow, 16 bytes, scope.
        Span<byte> address = stackalloc byte[28];
        Span<byte> mapped = stackalloc byte[16];
        address.Clear();
        target.WriteMapped(mapped);
        BitConverter.TryWriteBytes(address, (ushort)(isIPv4 ? Libc.AfInet : Libc.AfInet6));
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], target.Port);
        (isIPv4 ? mapped[12..] : mapped).CopyTo(address[(isIPv4 ? 4 : 8)..]);
        int result;
        int error = 0;
        fixed (byte* start = address)
        {
            result = Libc.Connect(_descriptor, start, isIPv4 ? 16 : 28);
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
