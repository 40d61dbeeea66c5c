using System.Diagnostics;
using System.Globalization;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool.Nginx;

namespace Trunkline.SystemTests.Containers;

/// <summary>nginx/Dockerfile's commands outside Docker: its user, its links for logs, its start command, its health check.</summary>
public sealed class NginxImageTests
{
    [ProgramsFact("nginx", "mosquitto_sub", "setpriv", "dpkg-query", "bash")]
    public async Task What_the_Dockerfile_builds_runs_without_root_and_passes_devices_on()
    {
        await using Tier tier = await Tier.UpAsync(new TierOptions { Proxies = 1, Groups = 1, Redis = "none" });
        using DockerBuild image = await DockerBuild.RunAsync("nginx/Dockerfile");
        Assert.Equal("www-data", image.User);

        // Ports of this tier that no part of it has.
        int mqtt = tier.BasePort + 30;
        int webSocket = tier.BasePort + 32;
        string configuration = await PrepareAsync(image, tier, mqtt, webSocket);
        await using LiveProcess nginx = LiveProcess.Start(StartInfo(image, configuration));
        await Eventually.HoldsAsync(
            async () =>
            {
                Assert.False(nginx.HasExited, $"nginx ended:\n{string.Join('\n', nginx.Lines)}");
                string[] check = [.. image.HealthCheck.Select(word => word.Replace("8083", Text(webSocket), StringComparison.Ordinal))];
                return (await CommandRunner.RunAsync(check[0], check[1..])).ExitCode == 0;
            },
            () => $"nginx is healthy:\n{string.Join('\n', nginx.Lines)}");
        if (Environment.UserName == "root")
        {
            string identity = File.ReadLines($"/proc/{nginx.Pid}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal));
            Assert.DoesNotContain("\t0", identity, StringComparison.Ordinal);
        }

        await using MosquittoSubscriber subscriber = await MosquittoSubscriber.SubscribeAsync(mqtt, "-t", "image/#", "-q", "1");
        await MosquittoPublisher.PublishAsync(tier.Now.Proxies[0].Mqtt, "-t", "image/nginx", "-m", "hello", "-q", "1");
        Assert.Equal(["image/nginx 1 0 hello"], await subscriber.AwaitMessagesAsync(1));

        // A connection that fails is a line in the container's own log: the Dockerfile links it there.
        await tier.KillAsync("proxy-1");
        await Eventually.HoldsAsync(
            async () =>
            {
                await CommandRunner.RunAsync("bash", "-c", $"exec 3<>/dev/tcp/127.0.0.1/{Text(mqtt)} && head -c1 <&3");
                return nginx.Lines.Any(line => line.Contains(" TCP 502 upstream ", StringComparison.Ordinal));
            },
            () => $"a failed connection is logged:\n{string.Join('\n', nginx.Lines)}");
    }

    /// <summary>
    /// What compose and the site bring: addresses, a certificate, and the folders that are tmpfs of www-data there.
    /// Paths of the image are where this build has them.
    /// </summary>
    private static async Task<string> PrepareAsync(DockerBuild image, Tier tier, int mqtt, int webSocket)
    {
        foreach (string folder in new[] { "/run", "/var/lib/nginx", "/etc/trunkline" })
        {
            Directory.CreateDirectory(image.PathOf(folder));
        }

        foreach (string name in new[] { "server.pem", "server.key" })
        {
            File.Copy(Path.Combine(tier.Folder, "authority", name), image.PathOf("/etc/trunkline/" + name));
        }

        Dictionary<string, IReadOnlyList<string>> values = new()
        {
            ["user"] = [],
            ["pid-file"] = [image.PathOf("/run/nginx.pid")],
            ["log-file"] = [image.PathOf("/var/log/nginx/error.log")],
            ["access-log"] = [image.PathOf("/var/log/nginx/trunkline.log")],
            ["open-files"] = ["1024"],
            ["connections"] = ["512"],
            ["mqtt"] = [Loopback(mqtt)],
            ["mqtts"] = [Loopback(mqtt + 1)],
            ["ws"] = [Loopback(webSocket)],
            ["wss"] = [Loopback(webSocket + 1)],
            ["proxies-mqtt"] = [Loopback(tier.Now.Proxies[0].Mqtt)],
            ["proxies-ws"] = [Loopback(tier.Now.Proxies[0].Ws)],
            ["certificate"] = [image.PathOf("/etc/trunkline/server.pem")],
            ["certificate-key"] = [image.PathOf("/etc/trunkline/server.key")],
        };
        foreach (string use in new[] { "body", "proxy", "fastcgi", "uwsgi", "scgi" })
        {
            values["temp-" + use] = [image.PathOf("/var/lib/nginx/" + use)];
        }

        string file = image.PathOf("/etc/nginx/nginx.conf");
        await File.WriteAllTextAsync(file, NginxTemplate.Render(await File.ReadAllTextAsync(file), values));
        if (Environment.UserName == "root")
        {
            string root = Path.GetDirectoryName(image.PathOf("/run"))!;
            (await CommandRunner.RunAsync("chown", "-R", "--no-dereference", image.User!, root)).EnsureSuccess();
            (await CommandRunner.RunAsync("chmod", "755", Path.GetDirectoryName(root)!)).EnsureSuccess();
        }

        return file;
    }

    // A container's runtime gives the output to the image's user before it starts the command; so does this.
    private static ProcessStartInfo StartInfo(DockerBuild image, string configuration)
    {
        string[] command = [.. image.EntryPoint, "-c", configuration];
        return Environment.UserName == "root"
            ? new ProcessStartInfo("bash",
            [
                "-c", "chown \"$0\" /proc/self/fd/1 /proc/self/fd/2 && exec setpriv --reuid \"$0\" --regid \"$0\" --clear-groups \"$@\"",
                image.User!, .. command,
            ])
            : new ProcessStartInfo(command[0], command[1..]);
    }

    private static string Loopback(int port) => "127.0.0.1:" + Text(port);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
