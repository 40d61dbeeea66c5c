using System.Globalization;
using Trunkline.Clauses;
using Trunkline.SystemTests.Infrastructure;

namespace Trunkline.SystemTests.Up;

/// <summary>./trunkline up, and the clients that others wrote, as the README shows them.</summary>
public sealed class ForeignClientTests(UpFixture fixture) : IClassFixture<UpFixture>
{
    private static readonly string[] Versions = ["31", "311", "5"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private UpProcess Up => fixture.Up;

    [ProgramsFact("mosquitto_sub")]
    [Clause(Specification.Mqtt311, "MQTT-7.0.0-2")]
    public async Task Mosquittos_clients_talk_in_every_version_at_every_QoS()
    {
        foreach (string version in Versions)
        {
            await using MosquittoSubscriber wildcard = await SubscribeAsync("-t", $"v{version}/#", "-q", "2", "-V", version);
            await using MosquittoSubscriber exact = await SubscribeAsync("-t", $"v{version}/1/x", "-t", $"v{version}/+/y", "-q", "0", "-V", version);
            foreach (string qos in new[] { "0", "1", "2" })
            {
                await PublishAsync("-t", $"v{version}/{qos}/x", "-m", "hello", "-q", qos, "-V", version);
            }

            await PublishAsync("-t", $"v{version}/3/y", "-m", "end", "-q", "1", "-V", version);
            Assert.Equal(
                [$"v{version}/0/x 0 0 hello", $"v{version}/1/x 1 0 hello", $"v{version}/2/x 2 0 hello", $"v{version}/3/y 1 0 end"],
                (await wildcard.AwaitMessagesAsync(4, Patience)).Order());
            Assert.Equal([$"v{version}/1/x 0 0 hello", $"v{version}/3/y 0 0 end"], (await exact.AwaitMessagesAsync(2, Patience)).Order());
        }
    }

    [ProgramsFact("mosquitto_sub")]
    public async Task A_retained_message_waits_for_late_subscribers_until_it_is_cleared()
    {
        foreach (string version in Versions)
        {
            string topic = $"retained/{version}";
            await PublishAsync("-t", topic, "-m", "kept", "-q", "1", "-r", "-V", version);
            await using (MosquittoSubscriber late = await SubscribeAsync("-t", "retained/+", "-q", "1", "-V", version))
            {
                Assert.Equal([$"{topic} 1 1 kept"], await late.AwaitMessagesAsync(1, Patience));
            }

            await PublishAsync("-t", topic, "-n", "-q", "1", "-r", "-V", version);
            await using MosquittoSubscriber after = await SubscribeAsync("-t", topic, "-q", "1", "-V", version);
            await PublishAsync("-t", topic, "-m", "live", "-q", "1", "-V", version);
            Assert.Equal([$"{topic} 1 0 live"], await after.AwaitMessagesAsync(1, Patience));
        }
    }

    [ProgramsFact("mosquitto_sub")]
    [Clause(Specification.Mqtt50, "MQTT-3.1.2-8")]
    [Clause(Specification.Mqtt311, "MQTT-3.1.2-8")]
    public async Task The_will_of_a_killed_client_is_published()
    {
        foreach (string version in Versions)
        {
            await using MosquittoSubscriber watching = await SubscribeAsync("-t", $"will/{version}", "-q", "2", "-V", version);
            await using (await SubscribeAsync(
                "-t", "x", "-V", version, "--will-topic", $"will/{version}", "--will-payload", "gone", "--will-qos", "2"))
            {
                // Leaving the block kills it.
            }

            Assert.Equal([$"will/{version} 2 0 gone"], await watching.AwaitMessagesAsync(1, Patience));
        }
    }

    [ProgramsFact("mosquitto_sub")]
    public async Task Members_of_a_share_divide_the_messages()
    {
        foreach (string version in new[] { "311", "5" })
        {
            await using MosquittoSubscriber first = await SubscribeAsync("-t", $"$share/g/share/{version}/#", "-q", "1", "-V", version);
            await using MosquittoSubscriber second = await SubscribeAsync("-t", $"$share/g/share/{version}/#", "-q", "1", "-V", version);
            for (int n = 0; n < 10; n++)
            {
                await PublishAsync("-t", $"share/{version}/{n}", "-m", "one", "-q", "1", "-V", version);
            }

            await Eventually.HoldsAsync(() => first.Messages.Count + second.Messages.Count >= 10, () => "ten messages between both");
            Assert.Equal(
                Enumerable.Range(0, 10).Select(n => $"share/{version}/{n} 1 0 one"), first.Messages.Concat(second.Messages).Order());
            Assert.NotEmpty(first.Messages);
            Assert.NotEmpty(second.Messages);
        }
    }

    [ProgramsFact("node")]
    public async Task Mqtt_js_in_node_talks_over_WebSocket_and_TCP()
    {
        await using LiveProcess node = NodeScript.Start(Script("require('mqtt')", "process.exit(0)"), Urls("ws"), Urls("mqtt"));
        await AwaitDoneAsync(node, 4);
        Assert.Equal(0, await node.AwaitExitAsync(Patience));
    }

    [ProgramsFact("chromium")]
    public async Task Mqtt_js_in_a_page_talks_over_WebSocket()
    {
        string bundle = await File.ReadAllTextAsync(NodeScript.BrowserBundle);
        string script = Script("mqtt", "console.log('page ends')").Replace("process.argv.slice(2)", $"['{Urls("ws")}']", StringComparison.Ordinal);
        await using ChromiumPage page = ChromiumPage.Open($"<!DOCTYPE html><script>{bundle}</script><script>{script}</script>");
        await AwaitDoneAsync(page, 2);
        await page.AwaitLineAsync("page ends", Patience);
    }

    [ProgramsFact("python3")]
    public async Task Paho_for_Python_talks_in_every_version_and_over_WebSocket()
    {
        // Debian's own Python has Debian's Paho; another one first on PATH has not.
        await using LiveProcess paho = LiveProcess.Start(
            "/usr/bin/python3", "-c", PahoScript, Up.Mqtt.ToString(CultureInfo.InvariantCulture), Up.WebSocket.ToString(CultureInfo.InvariantCulture));
        await AwaitDoneAsync(paho, 4);
        Assert.Equal(0, await paho.AwaitExitAsync(Patience));
    }

    private string Urls(string scheme) =>
        string.Create(CultureInfo.InvariantCulture, $"{scheme}://127.0.0.1:{(scheme == "ws" ? Up.WebSocket : Up.Mqtt)}/mqtt");

    private Task<MosquittoSubscriber> SubscribeAsync(params string[] arguments) => MosquittoSubscriber.SubscribeAsync(Up.Mqtt, arguments);

    private Task PublishAsync(params string[] arguments) => MosquittoPublisher.PublishAsync(Up.Mqtt, arguments);

    // Each client says what it got, in order, as one line a connection.
    private static async Task AwaitDoneAsync(LiveProcess client, int connections)
    {
        IReadOnlyList<string> lines = await client.AwaitLinesAsync(
            connections, line => line.Contains("it got ", StringComparison.Ordinal) || line.Contains("it failed ", StringComparison.Ordinal), TimeSpan.FromSeconds(90));
        Assert.All(lines, line => Assert.Contains("it got 0:zero 1:one 2:two", line, StringComparison.Ordinal));
    }

    // Each URL in 3.1.1 and 5.0, one after the other. QoS 0 first and awaited, for it may be passed by the others.
    private static string Script(string module, string end) => $$"""
        const mqtt_ = {{module}};
        async function talk(url, version) {
          const client = await mqtt_.connectAsync(url, { protocolVersion: version, reconnectPeriod: 0, connectTimeout: 30000 });
          const topic = 'js/' + version + '/' + Math.random();
          const got = [];
          let wake = () => {};
          client.on('message', (name, payload, packet) => { got.push(packet.qos + ':' + payload); wake(); });
          await client.subscribeAsync(topic + '/+', { qos: 2 });
          for (const [qos, text] of ['zero', 'one', 'two'].entries()) {
            await client.publishAsync(topic + '/x', text, { qos });
            while (got.length <= qos) await new Promise(resolve => { wake = resolve; });
          }
          await client.endAsync();
          console.log('it got ' + got.join(' '));
        }
        (async () => {
          for (const url of process.argv.slice(2)) for (const version of [4, 5]) await talk(url, version);
          {{end}};
        })().catch(error => { console.log('it failed ' + error); });
        """;

    private const string PahoScript = """
        import sys, queue
        import paho.mqtt.client as mqtt
        tcp, ws = int(sys.argv[1]), int(sys.argv[2])
        for name, version, transport, port in [('31', mqtt.MQTTv31, 'tcp', tcp), ('311', mqtt.MQTTv311, 'tcp', tcp), ('5', mqtt.MQTTv5, 'tcp', tcp), ('ws', mqtt.MQTTv5, 'websockets', ws)]:
            got, subscribed = queue.Queue(), queue.Queue()
            client = mqtt.Client(client_id='paho-' + name, protocol=version, transport=transport)
            if transport == 'websockets': client.ws_set_options(path='/mqtt')
            client.on_connect = lambda c, *rest: c.subscribe('paho/' + name + '/#', 2)
            client.on_subscribe = lambda *rest: subscribed.put(1)
            client.on_message = lambda c, u, m: got.put('%d:%s' % (m.qos, m.payload.decode()))
            client.connect('127.0.0.1', port)
            client.loop_start()
            subscribed.get(timeout=45)
            seen = []
            for qos, text in enumerate(['zero', 'one', 'two']):
                client.publish('paho/' + name + '/x', text, qos).wait_for_publish()
                seen.append(got.get(timeout=45))
            client.disconnect()
            client.loop_stop()
            print('it got ' + ' '.join(seen), flush=True)
        """;
}
