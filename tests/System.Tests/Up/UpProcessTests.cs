using System.Globalization;
using System.Text.Json;
using Trunkline.Protocol;
using Trunkline.SystemTests.Infrastructure;
using Trunkline.Tool;

namespace Trunkline.SystemTests.Up;

/// <summary>How ./trunkline up starts and ends.</summary>
public sealed class UpProcessTests(UpFixture fixture) : IClassFixture<UpFixture>
{
    [Fact]
    public async Task SIGTERM_tells_5_0_devices_closes_the_others_and_exits_0()
    {
        await using UpProcess up = await UpProcess.StartAsync("--groups", "3");
        TestEndpoint webSocket = new(up.WebSocket, IsWebSocket: true);
        await using TestDevice tcp = await TestDevice.ConnectAsync(up.Mqtt);
        await using TestDevice ws = await TestDevice.ConnectAsync(webSocket);
        await using TestDevice old = await TestDevice.ConnectAsync(up.Mqtt, new TestDeviceOptions { Version = ProtocolVersion.Mqtt311 });
        up.Terminate();
        Assert.Equal(ReasonCode.ServerShuttingDown, await tcp.AwaitClosedAsync());
        Assert.Equal(ReasonCode.ServerShuttingDown, await ws.AwaitClosedAsync());
        Assert.Null(await old.AwaitClosedAsync());
        Assert.Equal(0, await up.Process.AwaitExitAsync(TimeSpan.FromSeconds(60)));
    }

    [ProgramsFact("mosquitto_sub", "mosquitto_pub")]
    public async Task With_data_sessions_and_messages_outlive_kill_9()
    {
        string folder = Tier.NewFolder();
        string[] device = ["-i", "kept", "-c", "-q", "2", "-t", "kept/#"];
        await using (UpProcess first = await UpProcess.StartAsync("--data", folder))
        {
            await (await MosquittoSubscriber.SubscribeAsync(first.Mqtt, device)).DisposeAsync();
            await MosquittoPublisher.PublishAsync(first.Mqtt, "-t", "kept/1", "-m", "one", "-q", "1");
            await MosquittoPublisher.PublishAsync(first.Mqtt, "-t", "kept/1", "-m", "two", "-q", "2");
            using (global::System.Diagnostics.Process proxy = global::System.Diagnostics.Process.GetProcessById(first.Process.Pid))
            {
                proxy.Kill();
            }

            await first.Process.AwaitExitAsync(TimeSpan.FromSeconds(60));
        }

        await using UpProcess second = await UpProcess.StartAsync("--data", folder);
        await MosquittoPublisher.PublishAsync(second.Mqtt, "-t", "kept/1", "-m", "three", "-q", "1");
        await using MosquittoSubscriber back = await MosquittoSubscriber.SubscribeAsync(second.Mqtt, device);

        // A message at QoS 2 is printed when it is complete, which may be after later ones at QoS 1.
        Assert.Equal(["kept/1 1 0 one", "kept/1 1 0 three", "kept/1 2 0 two"], (await back.AwaitMessagesAsync(3)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Busy_ports_are_named_with_their_holder_and_the_flag_that_changes_them()
    {
        UpProcess holder = fixture.Up;
        using TestPorts free = TestPorts.Take();
        (string[] Flags, string[] Says)[] attempts =
        [
            (UpProcess.Flags(holder.Mqtt, holder.WebSocket, free.Base), [$"127.0.0.1:{holder.Mqtt}", $"127.0.0.1:{holder.WebSocket}", "--mqtt-port", "--ws-port"]),
            (UpProcess.Flags(free.Base, free.Base + 1, holder.Management), [$"127.0.0.1:{holder.Management}", "--management-port"]),
        ];
        foreach ((string[] flags, string[] says) in attempts)
        {
            CommandResult result = await Tier.ToolAsync(["up", .. flags]);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"process {holder.Process.Pid} ("), result.Errors, StringComparison.Ordinal);
            Assert.All(says, text => Assert.Contains(text, result.Errors, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Log_lines_as_JSON_carry_the_time_in_UTC_wherever_the_machine_stands()
    {
        using TestPorts ports = TestPorts.Take();
        System.Diagnostics.ProcessStartInfo start = new(
            Path.Combine(Repository.Root, "trunkline"),
            ["up", .. UpProcess.Flags(ports.Base, ports.Base + 1, ports.Base + 2), "--Logging:Format", "json"]);
        start.Environment["TZ"] = "Asia/Tokyo";
        await using LiveProcess up = LiveProcess.Start(start);
        using JsonDocument line = JsonDocument.Parse(await up.AwaitLineAsync(" serves: ", TimeSpan.FromMinutes(3)));
        string time = line.RootElement.GetProperty("Timestamp").GetString()!;
        DateTimeOffset told = DateTimeOffset.ParseExact(time, "yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        Assert.InRange((DateTimeOffset.UtcNow - told).TotalMinutes, -1, 5);
        Assert.Equal(1000, line.RootElement.GetProperty("EventId").GetInt32());
    }

    [Fact]
    public async Task A_start_tells_each_event_once()
    {
        await using UpProcess up = await UpProcess.StartAsync("--Loops", "2");
        await up.Process.AwaitLineAsync("[1005]", TimeSpan.FromSeconds(10));

        // Without the time, which tells two of a kind apart.
        string[] told = [.. up.Process.Lines.Where(line => line.Contains(" info: ", StringComparison.Ordinal)).Select(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..])];
        Assert.DoesNotContain(told, line => line.Contains("The slot map has changed", StringComparison.Ordinal));
        Assert.Single(told, line => line.EndsWith("The directory is Connected: -", StringComparison.Ordinal));
        Assert.Equal(told.Distinct(), told);
    }

    [Fact]
    public async Task A_session_page_without_a_client_id_says_what_to_name()
    {
        using HttpClient client = new();
        using HttpResponseMessage answer = await client.GetAsync(
            new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{fixture.Up.Management}/sessions/")));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("Name a client id", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_and_metrics_answer_and_name_no_device()
    {
        await using TestDevice device = await TestDevice.ConnectAsync(fixture.Up.Mqtt, new TestDeviceOptions { ClientId = "secret-client" });
        await device.SubscribeAsync("secret/topic", QoS.AtLeastOnce);
        await device.PublishAsync("secret/topic", "x", QoS.AtLeastOnce);
        await device.ReceiveAsync();
        using HttpClient client = new() { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{fixture.Up.Management}/")) };
        foreach (string page in new[] { "healthz", "readyz", "startupz" })
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri(page, UriKind.Relative));
            Assert.True(answer.IsSuccessStatusCode, page);
        }

        string metrics = await client.GetStringAsync(new Uri("metrics", UriKind.Relative));
        Assert.Contains("trunkline_", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_default_listens_on_loopback_alone()
    {
        foreach (int port in new[] { fixture.Up.Mqtt, fixture.Up.WebSocket, fixture.Up.Management })
        {
            // Local addresses of listening sockets (state 0A), as /proc writes 127.0.0.1.
            string suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
            string[] lines = [.. await File.ReadAllLinesAsync("/proc/net/tcp"), .. await File.ReadAllLinesAsync("/proc/net/tcp6")];
            string[] addresses = [.. lines
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(fields => fields[3] == "0A" && fields[1].EndsWith(suffix, StringComparison.Ordinal))
                .Select(fields => fields[1][..^suffix.Length])

                // The kernel does not stop the world for a reader: a row may come twice.
                .Distinct()];
            Assert.Equal(["0100007F"], addresses);
        }
    }
}
