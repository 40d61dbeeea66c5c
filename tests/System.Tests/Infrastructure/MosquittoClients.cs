using System.Diagnostics;
using System.Globalization;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>mosquitto_sub as a subscriber that somebody else wrote. Each message is one line: `%t %q %r %p` by default.</summary>
public sealed class MosquittoSubscriber : LiveProcess
{
    private const string Format = "message %t %q %r %p";

    private MosquittoSubscriber(ProcessStartInfo start)
        : base(start)
    {
    }

    /// <summary>Subscribes and returns when the broker has acknowledged it.</summary>
    /// <param name="port">The port on 127.0.0.1.</param>
    /// <param name="arguments">Further arguments: -t, -q, -V, -i, --cafile ...</param>
    public static async Task<MosquittoSubscriber> SubscribeAsync(int port, params string[] arguments)
    {
        // -d says when the SUBACK came; stdbuf because its lines are otherwise kept back.
        ProcessStartInfo start = new(
            "stdbuf",
            ["-oL", "mosquitto_sub", "-d", "-h", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), "-F", Format, .. arguments]);
        MosquittoSubscriber subscriber = new(start);
        try
        {
            await subscriber.AwaitLineAsync("Subscribed (mid:");
            return subscriber;
        }
        catch
        {
            await subscriber.DisposeAsync();
            throw;
        }
    }

    /// <summary>The messages so far: topic, QoS, retain flag and payload with a space between.</summary>
    public IReadOnlyList<string> Messages => [.. Lines.Where(IsMessage).Select(Strip)];

    /// <summary>The next messages from the beginning, once there are so many.</summary>
    public async Task<IReadOnlyList<string>> AwaitMessagesAsync(int count, TimeSpan? deadline = null) =>
        [.. (await AwaitLinesAsync(count, IsMessage, deadline)).Select(Strip)];

    private static bool IsMessage(string line) => line.StartsWith("message ", StringComparison.Ordinal);

    private static string Strip(string line) => line["message ".Length..];
}

/// <summary>mosquitto_pub as a publisher that somebody else wrote.</summary>
public static class MosquittoPublisher
{
    /// <summary>Publishes and returns when the broker has acknowledged it (QoS 1, 2) or it was sent (QoS 0).</summary>
    public static async Task PublishAsync(int port, params string[] arguments)
    {
        CommandResult result = await CommandRunner.RunAsync(
            Eventually.Patience,
            "mosquitto_pub",
            ["-h", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), .. arguments]);
        result.EnsureSuccess();
    }
}
