using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit.Abstractions;

namespace Trunkline.Topics.Tests;

/// <summary>Asks Redis itself, in cluster mode, for the slots of random keys.</summary>
public sealed class RedisClusterSlotTests(ITestOutputHelper output)
{
    private const string Server = "/usr/bin/redis-server";
    private const string Client = "/usr/bin/redis-cli";

    [Fact]
    public async Task Redis_gives_the_same_slots()
    {
        Assert.True(
            File.Exists(Server) && File.Exists(Client),
            "redis-server and redis-cli are missing: ./trunkline test installs Debian's redis-server and redis-tools; by hand: apt-get install redis-server");
        RandomTopics random = new(output, 41);
        List<byte[]> keys = Enumerable.Range(0, 1_000).Select(_ => Key(random)).ToList();
        string folder = Directory.CreateTempSubdirectory("trunkline-slots-").FullName;
        int port = FreePorts.Take();
        using Process server = Start(Server, redirectInput: false,
            "--port", Number(port), "--cluster-port", Number(FreePorts.Take()), "--bind", "127.0.0.1", "--cluster-enabled", "yes",
            "--save", "", "--appendonly", "no", "--dir", folder, "--logfile", Path.Combine(folder, "log"));
        try
        {
            await WaitUntilItListens(server, port, Path.Combine(folder, "log"));
            List<string> answers = await Ask(port, keys);
            Assert.Equal(keys.Count, answers.Count);
            for (int i = 0; i < keys.Count; i++)
            {
                Assert.True(answers[i] == Number(Slots.OfKey(keys[i])), $"seed {random.Seed} key {Quote(keys[i])}: Redis says {answers[i]}");
            }
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Key(RandomTopics random)
    {
        byte[] key = new byte[1 + random.Next(40)];
        random.Fill(key);
        for (int braces = random.Next(6); braces > 0; braces--)
        {
            key[random.Next(key.Length)] = random.Next(2) == 0 ? (byte)'{' : (byte)'}';
        }
        return key;
    }

    private static async Task<List<string>> Ask(int port, List<byte[]> keys)
    {
        using Process client = Start(Client, redirectInput: true, "-h", "127.0.0.1", "-p", Number(port));
        Task<string> answers = client.StandardOutput.ReadToEndAsync();
        foreach (byte[] key in keys)
        {
            await client.StandardInput.WriteAsync($"cluster keyslot {Quote(key)}\n");
        }
        client.StandardInput.Close();
        string text = await answers.WaitAsync(TimeSpan.FromSeconds(30));
        await client.WaitForExitAsync();
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private static string Quote(byte[] key)
    {
        StringBuilder quoted = new("\"");
        foreach (byte value in key)
        {
            quoted.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
        }
        return quoted.Append('"').ToString();
    }

    private static Task WaitUntilItListens(Process server, int port, string log) => Eventually.HoldsAsync(
        async () =>
        {
            Assert.False(server.HasExited, $"redis-server ended: {(File.Exists(log) ? await File.ReadAllTextAsync(log) : "no log")}");
            try
            {
                using TcpClient probe = new();
                await probe.ConnectAsync(IPAddress.Loopback, port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        },
        "redis-server listens");

    private static Process Start(string program, bool redirectInput, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardInput = redirectInput, RedirectStandardOutput = true };
        return Process.Start(start)!;
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
