using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Operations;

/// <summary>What nginx hands to a proxy, seen by a listener in a proxy's place.</summary>
public sealed class NginxTrafficTests
{
    private static readonly TierOptions NginxAlone = new() { Proxies = 0, Groups = 0, Redis = "none", Nginx = true };
    private static readonly TimeSpan Deadline = Eventually.Patience;

    [ProgramsFact("nginx")]
    public async Task Mqtt_arrives_behind_a_PROXY_header_that_names_the_device()
    {
        await using Tier tier = await Tier.UpAsync(NginxAlone);
        using TcpListener proxy = Listen(tier.BasePort + 10);
        using TcpClient device = await ConnectAsync(tier.Now.Nginx!.Mqtt);
        await device.GetStream().WriteAsync("bytes of a device"u8.ToArray());

        string received = await ReceiveAsync(proxy, "bytes of a device");
        int devicePort = ((IPEndPoint)device.Client.LocalEndPoint!).Port;
        Assert.Equal(
            string.Create(CultureInfo.InvariantCulture, $"PROXY TCP4 127.0.0.1 127.0.0.1 {devicePort} {tier.Now.Nginx.Mqtt}\r\nbytes of a device"),
            received);
    }

    [ProgramsFact("nginx")]
    public async Task Tls_ends_at_nginx_with_a_certificate_of_the_tiers_authority()
    {
        await using Tier tier = await Tier.UpAsync(NginxAlone);
        using TcpListener proxy = Listen(tier.BasePort + 10);
        using TcpClient device = await ConnectAsync(tier.Now.Nginx!.Mqtts);
        using X509Certificate2 authority = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(tier.Now.Ca));
        await using SslStream secure = new(device.GetStream());
        X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(authority);
        await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            CertificateChainPolicy = policy,
        }).WaitAsync(Deadline);
        await secure.WriteAsync("bytes of a device"u8.ToArray());

        string received = await ReceiveAsync(proxy, "bytes of a device");
        Assert.StartsWith("PROXY TCP4 127.0.0.1 ", received, StringComparison.Ordinal);
        Assert.EndsWith("\r\nbytes of a device", received, StringComparison.Ordinal);
    }

    [ProgramsFact("nginx")]
    public async Task An_upgrade_passes_with_the_devices_address_whatever_the_device_claims()
    {
        await using Tier tier = await Tier.UpAsync(NginxAlone);
        using TcpListener proxy = Listen(tier.BasePort + 12);
        using TcpClient device = await ConnectAsync(tier.Now.Nginx!.Ws);
        await device.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            "GET /mqtt HTTP/1.1\r\nHost: tier\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\nX-Forwarded-For: 10.9.8.7\r\n\r\n"));

        string[] lines = (await ReceiveAsync(proxy, "\r\n\r\n")).Split("\r\n");
        Assert.Equal("GET /mqtt HTTP/1.1", lines[0]);
        Assert.Equal("127.0.0.1", Assert.Single(lines, line => line.StartsWith("X-Forwarded-For:", StringComparison.OrdinalIgnoreCase))["X-Forwarded-For: ".Length..]);
        Assert.Contains(lines, line => line.Equals("Upgrade: websocket", StringComparison.OrdinalIgnoreCase));
        Assert.Contains(lines, line => line.Equals("Connection: upgrade", StringComparison.OrdinalIgnoreCase));
        Assert.Contains("Sec-WebSocket-Protocol: mqtt", lines);
    }

    [ProgramsFact("nginx")]
    public async Task A_path_that_is_not_ours_never_reaches_a_proxy()
    {
        await using Tier tier = await Tier.UpAsync(NginxAlone);
        using HttpClient client = new();
        using HttpResponseMessage answer = await client.GetAsync(
            new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{tier.Now.Nginx!.Ws}/metrics")));
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    private static TcpListener Listen(int port)
    {
        TcpListener listener = new(IPAddress.Loopback, port);
        listener.Start();
        return listener;
    }

    private static async Task<TcpClient> ConnectAsync(int port)
    {
        TcpClient client = new(AddressFamily.InterNetwork);
        await client.ConnectAsync(IPAddress.Loopback, port).WaitAsync(Deadline);
        return client;
    }

    // Everything up to and including the awaited end.
    private static async Task<string> ReceiveAsync(TcpListener listener, string end)
    {
        using CancellationTokenSource cancellation = new(Deadline);
        using TcpClient client = await listener.AcceptTcpClientAsync(cancellation.Token);
        byte[] buffer = new byte[4096];
        int length = 0;
        while (true)
        {
            int read = await client.GetStream().ReadAsync(buffer.AsMemory(length), cancellation.Token);
            length += read;
            string text = Encoding.ASCII.GetString(buffer, 0, length);
            if (read == 0 || text.EndsWith(end, StringComparison.Ordinal))
            {
                return text;
            }
        }
    }
}
