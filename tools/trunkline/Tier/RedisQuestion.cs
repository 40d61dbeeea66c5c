using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Trunkline.Tool.Parts;

namespace Trunkline.Tool.Tier;

/// <summary>One command to a Redis server or sentinel of a tier, on a connection of its own.</summary>
internal static class RedisQuestion
{
    /// <summary>
    /// The whole answer: a line, or a text with its length before it; "nothing" when none came in time, and what is wrong when
    /// the server cannot be reached. A server may be stopped or busy, and its socket stays open and silent for ever.
    /// </summary>
    public static async Task<string> AskAsync(Part server, string command, TimeSpan patience, CancellationToken cancellation)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(patience);
        try
        {
            return await AskAsync(server, command, deadline.Token);
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            return error.Message;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return "nothing";
        }
    }

    private static async Task<string> AskAsync(Part server, string command, CancellationToken cancellation)
    {
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, server.Port("port")!.Value, cancellation);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(command + "\r\n"), cancellation);
        using StreamReader reader = new(stream, Encoding.ASCII);
        string first = await reader.ReadLineAsync(cancellation) ?? "";
        if (first.Length < 2 || first[0] != '$' || !int.TryParse(first.AsSpan(1), CultureInfo.InvariantCulture, out int length) || length <= 0)
        {
            return first;
        }

        char[] text = new char[length];
        int read = await reader.ReadBlockAsync(text, cancellation);
        return new string(text, 0, read);
    }
}
