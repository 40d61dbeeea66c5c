using System.Globalization;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.SystemTests.Up;
using Trunkline.Tool.Authority;

namespace Trunkline.SystemTests.Upstream;

/// <summary>Links to a broker that wants TLS, a user and a password: a Mosquitto that lets nobody else in.</summary>
public sealed class SecuredBrokerTests
{
    private const string User = "links";
    private const string Password = "a secret";

    [ProgramsFact("mosquitto", "mosquitto_passwd", "mosquitto_sub")]
    public async Task Links_bring_TLS_user_and_password_and_a_wrong_one_is_told()
    {
        using TestPorts ports = TestPorts.Take();
        string folder = Tier.NewFolder();
        TestAuthorityFiles authority = TestAuthority.Create(folder, TimeProvider.System);
        await using (LiveProcess mosquitto = await StartAsync(folder, ports.Base, authority))
        {
            await using (UpProcess up = await UpProcess.StartAsync(Group(ports.Base, authority, Password)))
            {
                await up.Process.AwaitLineAsync("Group secured passed the probe.");
                await using MosquittoSubscriber subscriber = await MosquittoSubscriber.SubscribeAsync(up.Mqtt, "-t", "secured/#", "-q", "1");
                await MosquittoPublisher.PublishAsync(up.Mqtt, "-t", "secured/x", "-m", "hello", "-q", "1");
                Assert.Equal(["secured/x 1 0 hello"], await subscriber.AwaitMessagesAsync(1));
                await mosquitto.AwaitLineAsync($"u'{User}'");
            }

            await using UpProcess wrong = await UpProcess.StartAsync(
                [.. Group(ports.Base, authority, "wrong"), "--Links:StartTimeoutMs", "1000"]);
            await wrong.Process.AwaitLineAsync("The broker refused the connection: NotAuthorized");
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task<LiveProcess> StartAsync(string folder, int port, TestAuthorityFiles authority)
    {
        string passwords = Path.Combine(folder, "passwords");
        (await CommandRunner.RunAsync("mosquitto_passwd", "-b", "-c", passwords, User, Password)).EnsureSuccess();
        string configuration = Path.Combine(folder, "mosquitto.conf");
        await File.WriteAllTextAsync(configuration, string.Create(CultureInfo.InvariantCulture, $"""
            user {Environment.UserName}
            listener {port} 127.0.0.1
            certfile {authority.CertificateFile}
            keyfile {authority.KeyFile}
            allow_anonymous false
            password_file {passwords}
            max_inflight_messages 0
            max_queued_messages 0
            set_tcp_nodelay true

            """));
        LiveProcess mosquitto = LiveProcess.Start("mosquitto", "-c", configuration, "-v");
        await mosquitto.AwaitLineAsync("running", TimeSpan.FromSeconds(30));
        return mosquitto;
    }

    private static string[] Group(int port, TestAuthorityFiles authority, string password) =>
    [
        "--Groups:0:Name", "secured", "--Groups:0:Kind", "foreign", "--Groups:0:Address", string.Create(CultureInfo.InvariantCulture, $"localhost:{port}"),
        "--Groups:0:Tls", "true", "--Groups:0:CaFile", authority.CaFile, "--Groups:0:UserName", User, "--Groups:0:Password", password,
    ];
}
