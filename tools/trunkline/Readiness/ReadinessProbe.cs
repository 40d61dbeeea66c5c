using System.Net;
using System.Net.Sockets;

namespace Trunkline.Tool.Readiness;

/// <summary>How a part shows that it serves.</summary>
internal enum ReadinessKind
{
    /// <summary>GET /startupz and /readyz answer 200: every group was there once, and devices are taken.</summary>
    Http,

    /// <summary>A CONNECT is answered by CONNACK 0.</summary>
    Mqtt,

    /// <summary>PING is answered by PONG; a Redis that still loads says otherwise.</summary>
    Redis,

    /// <summary>The port accepts.</summary>
    Tcp,
}

/// <summary>Asks a part once whether it serves. Never throws for a part that does not.</summary>
internal static class ReadinessProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // CONNECT, MQTT 3.1.1, clean session, keep alive 5 s, client id "tier-probe".
    private static readonly byte[] Connect =
    [
        0x10, 22, 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, 2, 0, 5,
        0, 10, .. "tier-probe"u8,
    ];

    private static readonly byte[] Accepted = [0x20, 2, 0, 0];
    private static readonly byte[] Disconnect = [0xE0, 0];

    /// <summary>Null when the part is ready, otherwise what it lacks.</summary>
    public static async Task<string?> AskAsync(ReadinessKind kind, int port, CancellationToken cancellation)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Patience);
        try
        {
            return kind switch
            {
                ReadinessKind.Http => await AskHttpAsync(port, deadline.Token),
                ReadinessKind.Mqtt => await ExchangeAsync(port, Connect, Accepted, Disconnect, deadline.Token),
                ReadinessKind.Redis => await ExchangeAsync(port, "PING\r\n"u8.ToArray(), "+PONG\r\n"u8.ToArray(), default, deadline.Token),
                _ => await ExchangeAsync(port, default, default, default, deadline.Token),
            };
        }
        catch (Exception error) when (error is SocketException or IOException or HttpRequestException)
        {
            return $"port {port}: {error.Message}";
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"port {port}: no answer within {Patience.TotalSeconds} s";
        }
    }

    private static async Task<string?> AskHttpAsync(int port, CancellationToken cancellation)
    {
        using HttpClient client = new();
        foreach (string path in new[] { "startupz", "readyz" })
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/{path}"), cancellation);
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                string body = await answer.Content.ReadAsStringAsync(cancellation);
                return $"/{path} on port {port} answers {(int)answer.StatusCode} {body.Trim()}";
            }
        }

        return null;
    }

    private static async Task<string?> ExchangeAsync(
        int port,
        ReadOnlyMemory<byte> question,
        ReadOnlyMemory<byte> expected,
        ReadOnlyMemory<byte> farewell,
        CancellationToken cancellation)
    {
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, port, cancellation);
        if (question.IsEmpty)
        {
            return null;
        }

        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(question, cancellation);
        byte[] answer = new byte[expected.Length];
        int read = await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancellation);
        if (!answer.AsSpan(0, read).SequenceEqual(expected.Span))
        {
            return $"port {port} answers {Convert.ToHexString(answer, 0, read)}";
        }

        await stream.WriteAsync(farewell, cancellation);
        return null;
    }
}
