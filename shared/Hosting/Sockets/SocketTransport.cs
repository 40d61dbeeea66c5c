using System.Net.Sockets;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// A TCP connection for any system and any loop: .NET's asynchronous sockets say when something can be done, by a receive
/// of zero bytes and a send that waits, and post it to the loop, which then does it without blocking. Slower than epoll by
/// a thread change per wake-up, the same in behaviour.
/// </summary>
#pragma warning disable CA1001 // Closing the transport disposes of the socket.
internal sealed class SocketTransport : Transport
#pragma warning restore CA1001
{
    private readonly Socket _socket;
    private readonly ITransportOwner _owner;
    private readonly SocketAsyncEventArgs _receive;
    private readonly Readable _readable;
    private bool _isWatching;
    private bool _mayBeReadable = true;

    /// <summary>Takes a connected socket; <see cref="Open"/> begins to read.</summary>
    public SocketTransport(Loop loop, Socket socket, ConnectionOrigin origin, TransportSettings settings, ITransportOwner owner)
        : base(loop, origin, settings)
    {
        _socket = socket;
        _socket.Blocking = false;
        _owner = owner;
        _readable = new Readable(this);
        _receive = new SocketAsyncEventArgs(true);
        _receive.Completed += (_, _) => PostReadable();
        _receive.SetBuffer(Memory<byte>.Empty);
    }

    /// <summary>Begins to read; on the loop, after the handler was set.</summary>
    public void Open() => MarkReady();

    /// <inheritdoc/>
    protected override void OnReady()
    {
        if (!_mayBeReadable)
        {
            return;
        }

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

            int received = _socket.Receive(room, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock)
            {
                _mayBeReadable = false;
                Watch();
                return;
            }

            if (error != SocketError.Success || received == 0)
            {
                _mayBeReadable = false;
                OnPeerEnded(error == SocketError.Success ? TransportCloseReason.PeerClosed : TransportCloseReason.Reset);
                return;
            }

            budget -= received;
            CountReceived(received);
            Received(received);
        }
    }

    /// <inheritdoc/>
    protected override void SendOutput()
    {
        while (OutputHead is { } head && MayLeave())
        {
            int sent = _socket.Send(head.Written, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success)
            {
                CountSent(sent);
                Sent(sent);
                continue;
            }

            if (error == SocketError.WouldBlock)
            {
                SetBlocked();
            }
            else
            {
                OnSendFailed(TransportCloseReason.Reset);
            }

            return;
        }
    }

    /// <inheritdoc/>
    protected override void OnBlocked() => _ = SendWaitingAsync();

    /// <inheritdoc/>
    protected override void OnLeaving(Loop from, Loop target)
    {
    }

    /// <inheritdoc/>
    protected override void OnArrived(Loop to) => MarkReady();

    /// <inheritdoc/>
    protected override void OnTerminated(TransportCloseReason reason, bool aborted)
    {
        // Said first: whoever sees the close finds the count, and its place free.
        _owner.OnTransportClosed(this, reason);
        if (aborted)
        {
            _socket.LingerState = new LingerOption(enable: true, 0);
            _socket.Dispose();
        }
        else if (reason == TransportCloseReason.LocalClose)
        {
            _ = LingerAsync();
        }
        else
        {
            _socket.Dispose();
        }
    }

    private void Watch()
    {
        if (_isWatching)
        {
            return;
        }

        _isWatching = true;
        try
        {
            if (!_socket.ReceiveAsync(_receive))
            {
                PostReadable();
            }
        }
        catch (ObjectDisposedException)
        {
            // Closed meanwhile.
        }
    }

    private void PostReadable() => Loop.Post(_readable);

    /// <summary>Sends one byte's worth of the chain asynchronously, which ends when the peer has made room.</summary>
    private async Task SendWaitingAsync()
    {
        // This one byte is not looked at again when it leaves (see Transport.MayLeave): the system takes it when it can.
        // The byte is copied: the chain may move or be freed while the system waits.
        byte[] first = [OutputHead!.Written[0]];
        int sent;
        try
        {
            sent = await _socket.SendAsync(first.AsMemory(), SocketFlags.None);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            sent = 0;
        }

        Loop.Post(() => OnSendWaited(sent));
    }

    private void OnSendWaited(int sent)
    {
        if (!Loop.IsCurrent)
        {
            Loop.Post(() => OnSendWaited(sent));
        }
        else if (IsTerminated)
        {
            return;
        }
        else if (sent > 0 && GatheredBytes > 0)
        {
            CountSent(sent);
            Sent(sent);
            Unblock();
        }
        else
        {
            OnSendFailed(TransportCloseReason.Reset);
        }
    }

    private async Task LingerAsync()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
            using var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(Settings.LingerMs), Loop.Time);
            byte[] buffer = new byte[4096];
            while (await _socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None, timeout.Token) > 0)
            {
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The peer went, or its time is over.
        }
        finally
        {
            _socket.Dispose();
        }
    }

    private sealed class Readable(SocketTransport transport) : LoopWork
    {
        protected override void Run()
        {
            if (!transport.Loop.IsCurrent)
            {
                transport.Loop.Post(this);
                return;
            }

            transport._isWatching = false;
            if (transport.IsTerminated)
            {
                transport._receive.Dispose();
                return;
            }

            transport._mayBeReadable = true;
            transport.MarkReady();
        }
    }
}
