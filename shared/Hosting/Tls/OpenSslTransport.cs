using System.Buffers;
using System.Net.Security;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>
/// The server's side of TLS by OpenSSL itself, called from the loop: no stream, no task, and while idle no buffer, in
/// OpenSSL (released between records) or here (<see cref="BioWindow"/>). Loop thread only.
/// </summary>
/// <remarks>
/// <code>
/// below:  OnReceived -> SSL_do_handshake, then SSL_read -> Present -> above
/// above:  Output -> Encode -> SSL_write -> below            what a call wants to say goes below in the same step
/// </code>
/// </remarks>
internal sealed unsafe class OpenSslTransport : TlsLayer
{
    private const int RecordBytes = BufferPool.MediumBytes;

    // A record and what stands around it; a longer flight leaves in several parts.
    private const int WindowBytes = RecordBytes + 1024;

    private readonly OpenSslContext _context;
    private ITlsHandshake? _handshake;
    private nint _ssl;
    private nint _bio;
    private bool _isWaiting;

    /// <summary>Puts TLS on <paramref name="inner"/>; its bytes shake hands, then <paramref name="handshake"/> is called back.</summary>
    public OpenSslTransport(Transport inner, OpenSslContext context, ITlsHandshake handshake)
        : base(inner)
    {
        _context = context;
        _handshake = handshake;
        _ssl = context.CreateConnection(out _bio);
    }

    private enum Step
    {
        Handshake,
        Read,
        Write,
        Shutdown,
    }

    /// <inheritdoc/>
    public override int OnReceived(ReadOnlySpan<byte> bytes)
    {
        int used = 0;
        if (_handshake is not null && _ssl != 0)
        {
            if (!_isWaiting || !_context.TakeHandshakeStep(Loop))
            {
                // Its step comes in the loop's queue of inputs, in the order of arrival, so that those that came before
                // and found the turn's steps taken are not overtaken by new ones.
                _isWaiting = true;
                Inner.PauseReading();
                Inner.ResumeReading();
                return 0;
            }

            _isWaiting = false;
            ShakeHands(bytes, ref used);
        }

        return _handshake is null && _ssl != 0 ? Decrypt(bytes, used) : bytes.Length;
    }

    /// <inheritdoc/>
    public override void OnClosed(TransportCloseReason reason)
    {
        base.OnClosed(reason);
        Fail("The connection ended within the handshake.");
    }

    /// <inheritdoc/>
    protected override bool Encode()
    {
        if (_ssl == 0)
        {
            OnSendFailed(TransportCloseReason.ProtocolError);
            return false;
        }

        // A chunk that was too small for a frame may stand empty before the one that took it.
        BufferChunk head = OutputHead!;
        while (head.Length == 0)
        {
            head = head.Next!;
        }

        int used = 0;
        int written = Call(Step.Write, default, ref used, head.Written[..int.Min(head.Length, RecordBytes)], out _);
        if (written <= 0)
        {
            LibSsl.ErrorClear();
            OnSendFailed(TransportCloseReason.ProtocolError);
            return false;
        }

        Sent(written);
        return true;
    }

    /// <inheritdoc/>
    protected override void SayGoodbye(TransportCloseReason reason)
    {
        if (_handshake is null && _ssl != 0)
        {
            int used = 0;
            _ = Call(Step.Shutdown, default, ref used, default, out _);
            LibSsl.ErrorClear();
        }
    }

    /// <inheritdoc/>
    protected override void OnTerminated(TransportCloseReason reason, bool aborted)
    {
        base.OnTerminated(reason, aborted);
        nint ssl = _ssl;
        _ssl = 0;
        _bio = 0;
        if (ssl != 0)
        {
            // Its BIO goes with it.
            LibSsl.Free(ssl);
        }
    }

    private void ShakeHands(ReadOnlySpan<byte> bytes, ref int used)
    {
        if (Call(Step.Handshake, bytes, ref used, default, out int error) > 0)
        {
            ITlsHandshake handshake = _handshake!;
            _handshake = null;
            Origin = DescribeTls();
            handshake.OnTlsReady(this);
        }
        else if (error != LibSsl.ErrorWantRead)
        {
            Fail(LibSsl.TakeError());
        }
    }

    private void Fail(string error)
    {
        if (_handshake is { } handshake)
        {
            _handshake = null;

            // What comes now is not for us; nothing more is said than the alert that was written.
            LibSsl.Free(_ssl);
            _ssl = 0;
            handshake.OnTlsFailed(this, new AuthenticationException(error));
        }
    }

    private int Decrypt(ReadOnlySpan<byte> bytes, int used)
    {
        while (_ssl != 0 && MayReceive)
        {
            BufferChunk chunk = Loop.Buffers.Rent(RecordBytes);
            int read;
            int error;
            try
            {
                read = Call(Step.Read, bytes, ref used, chunk.Free[..RecordBytes], out error);
                if (read > 0)
                {
                    Present(chunk.Array.AsSpan(0, read));
                }
            }
            finally
            {
                Loop.Buffers.Return(chunk);
            }

            if (read > 0)
            {
                continue;
            }

            if (error != LibSsl.ErrorWantRead)
            {
                LibSsl.ErrorClear();
                OnPeerEnded(error == LibSsl.ErrorZeroReturn ? TransportCloseReason.PeerClosed : TransportCloseReason.ProtocolError);
            }

            return bytes.Length;
        }

        return IsClosed ? bytes.Length : used;
    }

    /// <summary>One call of OpenSSL, again while it has more to say than the window takes; what it said is written below.</summary>
    private int Call(Step step, ReadOnlySpan<byte> input, ref int used, ReadOnlySpan<byte> data, out int error)
    {
        byte[] output = ArrayPool<byte>.Shared.Rent(WindowBytes);
        int result;
        fixed (byte* inputStart = input)
        fixed (byte* dataStart = data)
        fixed (byte* outputStart = output)
        {
            BioWindow window = new() { Input = inputStart + used, InputLength = input.Length - used, Output = outputStart, OutputCapacity = WindowBytes };
            LibSsl.BioSetData(_bio, &window);
            do
            {
                LibSsl.ErrorClear();
                result = step switch
                {
                    Step.Handshake => LibSsl.Handshake(_ssl),
                    Step.Read => LibSsl.Read(_ssl, dataStart, data.Length),
                    Step.Write => LibSsl.Write(_ssl, dataStart, data.Length),
                    _ => LibSsl.Shutdown(_ssl),
                };
                error = result > 0 ? 0 : LibSsl.GetError(_ssl, result);
                if (window.OutputLength > 0)
                {
                    Inner.Output.Write(output.AsSpan(0, window.OutputLength));
                    window.OutputLength = 0;
                }
            }
            while (error == LibSsl.ErrorWantWrite);

            LibSsl.BioSetData(_bio, null);
            used = input.Length - window.InputLength;
        }

        ArrayPool<byte>.Shared.Return(output);
        return result;
    }

    private ConnectionOrigin DescribeTls()
    {
        using X509Certificate2? client = ClientCertificate();
        ConnectionOrigin below = Origin;
        string? name = Marshal.PtrToStringUTF8(LibSsl.ServerName(_ssl, 0));
        var details = (below.Details ?? new ConnectionOriginDetails()) with
        {
            TlsVersion = LibSsl.Version(_ssl) == LibSsl.Tls13 ? nameof(SslProtocols.Tls13) : nameof(SslProtocols.Tls12),
            TlsCipher = Enum.GetName((TlsCipherSuite)LibSsl.CipherId(LibSsl.Cipher(_ssl))),
            ServerName = string.IsNullOrEmpty(name) ? below.Details?.ServerName : name,
            ClientCertificateSubject = client?.Subject,
            ClientCertificateThumbprint = client?.GetCertHashString(HashAlgorithmName.SHA256),
        };
        return new ConnectionOrigin(below.Listener, below.Remote, details);
    }

    private X509Certificate2? ClientCertificate()
    {
        nint certificate = LibSsl.PeerCertificate(_ssl);
        if (certificate == 0)
        {
            return null;
        }

        try
        {
            var encoded = new byte[LibSsl.EncodeCertificate(certificate, null)];
            fixed (byte* start = encoded)
            {
                byte* end = start;
                _ = LibSsl.EncodeCertificate(certificate, &end);
            }

            return X509CertificateLoader.LoadCertificate(encoded);
        }
        finally
        {
            LibSsl.FreeCertificate(certificate);
        }
    }
}
