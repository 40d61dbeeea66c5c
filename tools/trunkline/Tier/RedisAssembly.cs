using System.Globalization;
using Trunkline.Tool.Parts;

namespace Trunkline.Tool.Tier;

/// <summary>
/// Makes started Redis servers one whole: joins the Cluster, waits until sentinels and replicas know each other. All of it
/// within one <paramref name="patience"/>; a server that says nothing is asked again until then.
/// </summary>
internal sealed class RedisAssembly(TimeProvider time, TimeSpan patience)
{
    private const int Slots = 16_384;
    private const int IdLength = 40;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    // Of one question. A server may be stopped or busy, and its socket stays open and silent for ever.
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(2);

    private readonly long _start = time.GetTimestamp();

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
            ids[i] = (await UntilAsync(servers[i], "CLUSTER MYID", answer => answer.Trim().Length == IdLength, cancellation)).Trim();

            // Asked again after an answer that was lost, it says that it has been done.
            await UntilAsync(
                servers[i], string.Create(CultureInfo.InvariantCulture, $"CLUSTER SET-CONFIG-EPOCH {i + 1}"),
                answer => IsDone(answer) || answer.Contains("already", StringComparison.Ordinal), cancellation);
            if (i < RedisParts.ClusterMasters)
            {
                int first = i * Slots / RedisParts.ClusterMasters, last = ((i + 1) * Slots / RedisParts.ClusterMasters) - 1;
                await UntilAsync(
                    servers[i], string.Create(CultureInfo.InvariantCulture, $"CLUSTER ADDSLOTSRANGE {first} {last}"),
                    answer => IsDone(answer) || answer.Contains("already busy", StringComparison.Ordinal), cancellation);
            }

            await UntilAsync(
                servers[i], string.Create(CultureInfo.InvariantCulture, $"CLUSTER MEET 127.0.0.1 {servers[0].Port("port")} {servers[0].Port("bus")}"), IsDone, cancellation);
        }

        for (int i = RedisParts.ClusterMasters; i < servers.Length; i++)
        {
            // Refused until it has heard of its master.
            await UntilAsync(
                servers[i], "CLUSTER REPLICATE " + ids[i - RedisParts.ClusterMasters], IsDone, cancellation);
        }

        string known = string.Create(CultureInfo.InvariantCulture, $"cluster_known_nodes:{servers.Length}\r");
        foreach (Part server in servers)
        {
            await UntilAsync(
                server, "CLUSTER INFO",
                answer => answer.Contains("cluster_state:ok", StringComparison.Ordinal) && answer.Contains(known, StringComparison.Ordinal), cancellation);
        }
    }

    private static bool IsDone(string answer) => answer.StartsWith("+OK", StringComparison.Ordinal);

    private async Task<string> UntilAsync(Part server, string command, Func<string, bool> holds, CancellationToken cancellation)
    {
        while (true)
        {
            if (!server.IsRunning)
            {
                throw new ToolException($"{server.Name} ended while it was starting. {PartRunner.Tail(server)}");
            }

            string answer = await RedisQuestion.AskAsync(server, command, AnswerPatience < patience ? AnswerPatience : patience, cancellation);
            if (holds(answer))
            {
                return answer;
            }

            if (time.GetElapsedTime(_start) > patience)
            {
                throw new ToolException($"{server.Name} did not find the others within {patience.TotalSeconds} s: '{command}' answers {answer.Trim()}");
            }

            await Task.Delay(Poll, time, cancellation);
        }
    }
}
