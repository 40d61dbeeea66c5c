using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// TLS over another transport, by SslStream driven from the loop. While idle it waits in a read of zero bytes, for which
/// neither SslStream nor this holds a buffer.
/// </summary>
#pragma warning disable CA1001 // Closing the transport disposes of both; whoever drops a transport closes it.
internal sealed class TlsTransport : TlsLayer
#pragma warning restore CA1001
{
    private const int RecordBytes = BufferPool.MediumBytes;

    private readonly TlsInnerStream _stream;
    private readonly SslStream _ssl;
    private TaskCompletionSource? _resumed;
    private bool _isDone;

    /// <summary>Puts TLS on <paramref name="inner"/>; a handshake comes next.</summary>
    public TlsTransport(Transport inner)
        : base(inner)
    {
        _stream = new TlsInnerStream(inner);
        _ssl = new SslStream(_stream, leaveInnerStreamOpen: true);
    }

    /// <summary>Shakes hands as the server, then calls back on the loop, and reads until the end. Never throws.</summary>
    public Task RunServerAsync(SslServerAuthenticationOptions options, ITlsHandshake handshake) =>
        RunAsync(_ssl.AuthenticateAsServerAsync(options), handshake);

    /// <summary>Shakes hands as the client, then calls back on the loop, and reads until the end. Never throws.</summary>
    public Task RunClientAsync(SslClientAuthenticationOptions options, ITlsHandshake handshake) =>
        RunAsync(_ssl.AuthenticateAsClientAsync(options), handshake);

    /// <inheritdoc/>
    public override int OnReceived(ReadOnlySpan<byte> bytes)
    {
        _stream.Deliver(bytes);
        return bytes.Length;
    }

    /// <inheritdoc/>
    public override void OnClosed(TransportCloseReason reason)
    {
        base.OnClosed(reason);
        _stream.End();
    }

    /// <inheritdoc/>
    protected override bool Encode()
    {
        BufferChunk head = OutputHead!;
        int count = Math.Min(head.Length, BufferPool.LargeBytes);
        try
        {
            Task write = _ssl.WriteAsync(head.Array.AsMemory(head.Start, count)).AsTask();
            if (!write.IsCompletedSuccessfully)
            {
                // Below, writes complete at once; one that has not succeeded by now has failed.
                OnSendFailed(TransportCloseReason.ProtocolError);
                return false;
            }
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or AuthenticationException)
        {
            OnSendFailed(TransportCloseReason.ProtocolError);
            return false;
        }

        Sent(count);
        return true;
    }

    /// <inheritdoc/>
    protected override void SayGoodbye(TransportCloseReason reason)
    {
        if (_ssl.IsAuthenticated)
        {
            try
            {
                // close_notify goes into the output below at once.
                _ = _ssl.ShutdownAsync();
            }
            catch (Exception exception) when (exception is IOException or InvalidOperationException or CryptographicException)
            {
                // The connection ends either way; after a broken record OpenSSL has nothing to say any more.
            }
        }
    }

    /// <inheritdoc/>
    protected override void OnTerminated(TransportCloseReason reason, bool aborted)
    {
        base.OnTerminated(reason, aborted);
        _stream.End();
        _resumed?.TrySetResult();
        if (_isDone)
        {
            Free();
        }
    }

    /// <inheritdoc/>
    protected override void OnReady() => _resumed?.TrySetResult();

    private async Task RunAsync(Task authentication, ITlsHandshake handshake)
    {
        try
        {
            await authentication;
            if (IsClosed)
            {
                return;
            }

            Origin = TlsOrigin();
            handshake.OnTlsReady(this);
            await ReadAllAsync();
        }
        catch (Exception exception) when (exception is IOException or AuthenticationException or InvalidOperationException or OperationCanceledException)
        {
            if (_ssl.IsAuthenticated)
            {
                OnPeerEnded(TransportCloseReason.ProtocolError);
            }
            else
            {
                handshake.OnTlsFailed(this, exception);
            }
        }
        catch (Exception exception)
        {
            // The edge of this connection: whatever went wrong ends it alone.
            CloseFor(TransportCloseReason.HandlerFault, TransportClose.Abort);
            Report(exception);
        }
        finally
        {
            _isDone = true;
            if (IsTerminated)
            {
                Free();
            }
        }
    }

    private async Task ReadAllAsync()
    {
        while (true)
        {
            // Ends when bytes are there; nothing is held meanwhile.
            _ = await _ssl.ReadAsync(Memory<byte>.Empty);
            while (!MayReceive)
            {
                if (IsClosed)
                {
                    return;
                }

                _resumed = new TaskCompletionSource();
                await _resumed.Task;
                _resumed = null;
            }

            BufferChunk chunk = Loop.Buffers.Rent(RecordBytes);
            int read;
            try
            {
                read = await _ssl.ReadAsync(chunk.Array.AsMemory(0, RecordBytes));
                Present(chunk.Array.AsSpan(0, read));
            }
            finally
            {
                Loop.Buffers.Return(chunk);
            }

            if (read == 0)
            {
                OnPeerEnded(TransportCloseReason.PeerClosed);
                return;
            }
        }
    }

    private ConnectionOrigin TlsOrigin()
    {
        X509Certificate2? client = _ssl.IsServer && _ssl.RemoteCertificate is { } remote ? (X509Certificate2)remote : null;
        var details = (Origin.Details ?? new ConnectionOriginDetails()) with
        {
            TlsVersion = NameOf(_ssl.SslProtocol),
            TlsCipher = NameOf(_ssl.NegotiatedCipherSuite),
            ServerName = string.IsNullOrEmpty(_ssl.TargetHostName) ? Origin.Details?.ServerName : _ssl.TargetHostName,
            ClientCertificateSubject = client?.Subject,
            ClientCertificateThumbprint = client?.GetCertHashString(HashAlgorithmName.SHA256),
        };
        return new ConnectionOrigin(Origin.Listener, Origin.Remote, details);
    }

    // Enum.GetName returns the shared name; ToString would make a string per connection.
    private static string? NameOf<T>(T value)
        where T : struct, Enum => Enum.GetName(value);

    private void Free()
    {
        _ssl.Dispose();
        _stream.Free();
    }
}
