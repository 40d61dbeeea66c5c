using System.Diagnostics;
using System.Globalization;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;

namespace Trunkline.SystemTests.Containers;

/// <summary>
/// The images' build and start commands, run outside Docker, with the very environment that docker-compose.yml gives:
/// only addresses are this machine's.
/// </summary>
public sealed class ImageTests
{
    [ProgramsFact("docker-compose", "redis-server", "mosquitto_sub", "bash")]
    public async Task What_the_Dockerfiles_build_starts_as_compose_starts_it_and_serves()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 0, Groups = 0 });
        ComposeFile compose = await ComposeFile.LoadAsync();
        using DockerBuild broker = await DockerBuild.RunAsync("broker/Dockerfile");
        using DockerBuild proxy = await DockerBuild.RunAsync("proxy/Dockerfile");

        // Ports of this tier that no part of it has: brokers and a proxy are started here instead.
        int first = tier.BasePort;
        Dictionary<string, string> addresses = new()
        {
            ["broker-0:1884"] = Loopback(first + 60),
            ["broker-1:1884"] = Loopback(first + 62),
            ["redis:6379"] = Loopback(tier.Now.Redis[0].Port),
            ["0.0.0.0:1883"] = Loopback(first + 10),
            ["0.0.0.0:8083"] = Loopback(first + 12),
            ["0.0.0.0:8080"] = Loopback(first + 14),
        };
        string data = broker.PathOf("/data");
        await using LiveProcess broker0 = Start(broker, compose.Environment("broker-0"), BrokerAddresses(first + 60, data));
        await using LiveProcess broker1 = Start(broker, compose.Environment("broker-1"), BrokerAddresses(first + 62, data));
        await AwaitReadyAsync(broker0, first + 61);
        await AwaitReadyAsync(broker1, first + 63);
        await using LiveProcess proxy1 = Start(proxy, compose.Environment("proxy-1"), addresses);
        await AwaitReadyAsync(proxy1, first + 14);

        await using MosquittoSubscriber subscriber = await MosquittoSubscriber.SubscribeAsync(first + 10, "-t", "image/#", "-q", "1");
        await MosquittoPublisher.PublishAsync(first + 10, "-t", "image/test", "-m", "hello", "-q", "1");
        Assert.Equal(["image/test 1 0 hello"], await subscriber.AwaitMessagesAsync(1));

        // Each group keeps its log in the folder that its volume is mounted at.
        Assert.Equal(["group-0", "group-1"], Directory.EnumerateDirectories(data).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains(":/data", compose.Services["broker-0"], StringComparison.Ordinal);
        Assert.Contains(":/data", compose.Services["broker-1"], StringComparison.Ordinal);
    }

    private static string Loopback(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    private static Dictionary<string, string> BrokerAddresses(int port, string data) => new()
    {
        ["/data"] = data,
        ["0.0.0.0:1884"] = Loopback(port),
        ["0.0.0.0:8081"] = Loopback(port + 1),
    };

    private static LiveProcess Start(
        DockerBuild build, IReadOnlyDictionary<string, string> environment, Dictionary<string, string> addresses)
    {
        ProcessStartInfo start = new(build.EntryPoint[0], build.EntryPoint.Skip(1));
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = addresses.GetValueOrDefault(value, value);
            Assert.DoesNotContain("0.0.0.0", start.Environment[name], StringComparison.Ordinal);
        }

        return LiveProcess.Start(start);
    }

    // The images' own health check.
    private static async Task AwaitReadyAsync(LiveProcess process, int management)
    {
        string check = Path.Combine(Repository.Root, "docker", "ready");
        await Eventually.HoldsAsync(
            async () =>
            {
                Assert.False(process.HasExited, $"{process} ended:\n{string.Join('\n', process.Lines)}");
                return (await CommandRunner.RunAsync(check, management.ToString(CultureInfo.InvariantCulture))).ExitCode == 0;
            },
            () => $"{process} is ready:\n{string.Join('\n', process.Lines)}");
    }
}
