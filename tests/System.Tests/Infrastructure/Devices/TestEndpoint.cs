using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>Where a test device connects to on this machine, and how.</summary>
/// <param name="Port">The port.</param>
/// <param name="IsWebSocket">MQTT in WebSocket frames, at /mqtt.</param>
/// <param name="AuthorityFile">TLS, with a certificate of this authority; null for none.</param>
public sealed record TestEndpoint(int Port, bool IsWebSocket = false, string? AuthorityFile = null)
{
    /// <summary>The address the device has itself, to be told apart: any of 127.0.0.0/8.</summary>
    public string DeviceAddress { get; init; } = "127.0.0.1";

    /// <summary>Written before anything else, for example a PROXY header.</summary>
    public byte[] Prologue { get; init; } = [];

    /// <summary>X-Forwarded-For of the upgrade request, as a reverse proxy would set it.</summary>
    public string? ForwardedFor { get; init; }

    public static implicit operator TestEndpoint(int port) => new(port);

    internal async Task<(Socket Socket, Stream Stream)> DialAsync(CancellationToken cancellation)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Parse(DeviceAddress), 0));
            await socket.ConnectAsync(IPAddress.Loopback, Port, cancellation);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            await stream.WriteAsync(Prologue, cancellation);
            if (IsWebSocket)
            {
                return (socket, await UpgradeAsync(stream, cancellation));
            }

            return (socket, AuthorityFile is null ? stream : await SecureAsync(stream, cancellation));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<Stream> UpgradeAsync(Stream stream, CancellationToken cancellation)
    {
        using SocketsHttpHandler handler = new() { ConnectCallback = (_, _) => ValueTask.FromResult(stream) };
        if (AuthorityFile is not null)
        {
            handler.SslOptions = SslOptions(AuthorityFile);
        }

        using HttpMessageInvoker invoker = new(handler, disposeHandler: false);
        ClientWebSocket socket = new();
        socket.Options.AddSubProtocol("mqtt");
        if (ForwardedFor is not null)
        {
            socket.Options.SetRequestHeader("X-Forwarded-For", ForwardedFor);
        }

        string scheme = AuthorityFile is null ? "ws" : "wss";
        Uri uri = new(string.Create(CultureInfo.InvariantCulture, $"{scheme}://localhost:{Port}/mqtt"));
        await socket.ConnectAsync(uri, invoker, cancellation);
        Assert.Equal("mqtt", socket.SubProtocol);
        return WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: true);
    }

    private async Task<Stream> SecureAsync(Stream stream, CancellationToken cancellation)
    {
        SslStream secure = new(stream);
        await secure.AuthenticateAsClientAsync(SslOptions(AuthorityFile!), cancellation);
        return secure;
    }

    private static SslClientAuthenticationOptions SslOptions(string authorityFile)
    {
        X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(File.ReadAllText(authorityFile)));
        return new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = policy };
    }
}
