using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Trunkline.Tool.Parts;

namespace Trunkline.Tool.Tier;

/// <summary>Makes started Redis servers one whole: joins the Cluster, waits until sentinels and replicas know each other.</summary>
internal sealed class RedisAssembly(TimeProvider time, TimeSpan patience)
{
    private const int Slots = 16_384;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    public async Task AssembleAsync(RedisKind kind, IReadOnlyList<Part> parts, CancellationToken cancellation)
    {
        Part[] servers = [.. parts.Where(part => part.Kind == PartKind.Redis && part.Role != "sentinel")];
        if (kind == RedisKind.Cluster)
        {
            await JoinAsync(servers, cancellation);
        }

        foreach (Part replica in servers.Where(part => part.Role == "replica"))
        {
            await UntilAsync(replica, "INFO replication", answer => answer.Contains("master_link_status:up", StringComparison.Ordinal), cancellation);
        }

        foreach (Part sentinel in parts.Where(part => part.Role == "sentinel"))
        {
            await UntilAsync(
                sentinel, "INFO sentinel",
                answer => answer.Contains("slaves=1", StringComparison.Ordinal) && answer.Contains("sentinels=3", StringComparison.Ordinal), cancellation);
        }
    }

    private async Task JoinAsync(Part[] servers, CancellationToken cancellation)
    {
        string[] ids = new string[servers.Length];
        for (int i = 0; i < servers.Length; i++)
        {
            ids[i] = (await AskAsync(servers[i], "CLUSTER MYID", cancellation)).Trim();
            await AskAsync(servers[i], string.Create(CultureInfo.InvariantCulture, $"CLUSTER SET-CONFIG-EPOCH {i + 1}"), cancellation);
            if (i < RedisParts.ClusterMasters)
            {
                int first = i * Slots / RedisParts.ClusterMasters, last = ((i + 1) * Slots / RedisParts.ClusterMasters) - 1;
                await AskAsync(servers[i], string.Create(CultureInfo.InvariantCulture, $"CLUSTER ADDSLOTSRANGE {first} {last}"), cancellation);
            }

            await AskAsync(
                servers[i], string.Create(CultureInfo.InvariantCulture, $"CLUSTER MEET 127.0.0.1 {servers[0].Port("port")} {servers[0].Port("bus")}"), cancellation);
        }

        for (int i = RedisParts.ClusterMasters; i < servers.Length; i++)
        {
            // Refused until it has heard of its master.
            await UntilAsync(
                servers[i], "CLUSTER REPLICATE " + ids[i - RedisParts.ClusterMasters], answer => answer.StartsWith("+OK", StringComparison.Ordinal), cancellation);
        }

        string known = string.Create(CultureInfo.InvariantCulture, $"cluster_known_nodes:{servers.Length}\r");
        foreach (Part server in servers)
        {
            await UntilAsync(
                server, "CLUSTER INFO",
                answer => answer.Contains("cluster_state:ok", StringComparison.Ordinal) && answer.Contains(known, StringComparison.Ordinal), cancellation);
        }
    }

    private async Task UntilAsync(Part server, string command, Func<string, bool> holds, CancellationToken cancellation)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            string answer = await AskAsync(server, command, cancellation);
            if (holds(answer))
            {
                return;
            }

            if (time.GetElapsedTime(start) > patience)
            {
                throw new ToolException($"{server.Name} did not find the others within {patience.TotalSeconds} s: '{command}' answers {answer.Trim()}");
            }

            await Task.Delay(Poll, time, cancellation);
        }
    }

    /// <summary>One inline command on a connection of its own, and its whole answer: a line, or a text with its length before it.</summary>
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
