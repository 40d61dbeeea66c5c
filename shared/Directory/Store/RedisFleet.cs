using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>What is read of the servers behind a connection: who the masters are, and whether they keep what is asked of them.</summary>
internal static class RedisFleet
{
    /// <summary>
    /// Identity of the server processes that are masters now: another one when any of them was restarted or replaced by its
    /// replica, whose past may be older. With a fault instead while a master of a Cluster is away.
    /// </summary>
    internal static async Task<(string Identity, string? Fault)> IdentifyAsync(
        RedisConnection connection, TimeSpan deadline, TimeProvider time, CancellationToken cancellation)
    {
        IServer[] masters = connection.Masters();
        if (masters.Length == 0)
        {
            return ("", "no master is connected");
        }

        if (masters[0].ServerType == ServerType.Cluster)
        {
            (ClusterConfiguration? cluster, string? unknown) =
                await AskAsync(connection, () => masters[0].ClusterNodesAsync(), "CLUSTER NODES", deadline, time, cancellation);
            if (unknown is not null)
            {
                return ("", unknown);
            }

            // Seen by all nodes alike, so that they do not take each other's view for a change.
            ClusterNode[] serving = [.. cluster!.Nodes.Where(node => !node.IsReplica && node.Slots.Count > 0)];

            // Who is asked knows no address of its own before it has met another.
            IServer asked = masters[0];
            masters = [.. serving.Select(node => node.IsMyself ? asked : Array.Find(masters, master => Equals(master.EndPoint, node.EndPoint))).OfType<IServer>()];
            if (masters.Length < serving.Length || masters.Length == 0)
            {
                return ("", $"{serving.Length - masters.Length} of {serving.Length} masters of the Cluster are away");
            }
        }

        List<string> runs = [];
        foreach (IServer master in masters)
        {
            (string? info, string? fault) = await AskAsync(connection, () => master.InfoRawAsync("server"), "INFO", deadline, time, cancellation);
            if (fault is not null)
            {
                return ("", fault);
            }

            runs.Add(Value(info!, "run_id"));
        }

        runs.Sort(StringComparer.Ordinal);
        return (runs.Count == 1 ? runs[0] : Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Concat(runs))).AsSpan(0, 20)), null);
    }

    /// <summary>
    /// Compares what the masters keep with <see cref="DirectoryOptions.Durability"/>. Refused with the sentence for the user;
    /// Unavailable when replicas are missing, which may come; Ok with a sentence that is a warning, or without.
    /// </summary>
    internal static async Task<DirectoryResult> CheckAsync(RedisConnection connection, DirectoryOptions options, TimeProvider time, CancellationToken cancellation)
    {
        Durability durability = Durability.Of(options);
        TimeSpan deadline = TimeSpan.FromMilliseconds(options.OperationDeadlineMs);
        string warning = "";
        foreach (IServer master in connection.Masters())
        {
            (string? info, string? fault) = await AskAsync(connection, () => master.InfoRawAsync(), "INFO", deadline, time, cancellation);
            if (fault is not null)
            {
                return new(DirectoryStatus.Unavailable, fault);
            }

            (KeyValuePair<string, string>[]? settings, string? hidden) =
                await AskAsync(connection, () => master.ConfigGetAsync("*"), "CONFIG GET", deadline, time, cancellation);
            if (hidden == RedisConnection.DeadlineMissed)
            {
                return new(DirectoryStatus.Unavailable, hidden);
            }

            DirectoryResult found = Judge(durability, options.Durability, master.EndPoint.ToString()!, info!, Read(settings ?? []));
            if (!found.IsOk)
            {
                return found;
            }

            warning = found.Detail.Length > 0 ? found.Detail : warning;
        }

        return new(DirectoryStatus.Ok, warning);
    }

    internal static DirectoryResult Judge(
        Durability durability, string asked, string server, string info, IReadOnlyDictionary<string, string> settings)
    {
        string wants = $"Directory:Durability is {asked}, but Redis at {server}";
        string eviction = settings.GetValueOrDefault("maxmemory-policy", Value(info, "maxmemory_policy"));
        if (eviction.StartsWith("allkeys", StringComparison.Ordinal))
        {
            string sentence = $"Redis at {server} has maxmemory-policy {eviction} and would silently drop sessions when it is full: set maxmemory-policy noeviction.";
            return durability.Kind == DurabilityKind.Memory ? new(DirectoryStatus.Ok, sentence) : new(DirectoryStatus.Refused, sentence);
        }

        bool hasAof = Value(info, "aof_enabled") == "1";
        string sync = settings.GetValueOrDefault("appendfsync", "");
        switch (durability.Kind)
        {
            case DurabilityKind.AofEverySecond or DurabilityKind.AofAlways when !hasAof:
                return new(DirectoryStatus.Refused, $"{wants} has appendonly no and forgets everything when it ends: set appendonly yes (CONFIG SET appendonly yes, and in its redis.conf), or Directory:Durability to memory.");
            case DurabilityKind.AofEverySecond or DurabilityKind.AofAlways when sync.Length == 0:
                return new(DirectoryStatus.Ok, $"{wants} does not tell its appendfsync (CONFIG GET is refused there): see to it that it is {(durability.Kind == DurabilityKind.AofAlways ? "always" : "everysec or always")}.");
            case DurabilityKind.AofEverySecond when sync == "no":
                return new(DirectoryStatus.Refused, $"{wants} has appendfsync no: set appendfsync everysec.");
            case DurabilityKind.AofAlways when sync != "always":
                return new(DirectoryStatus.Refused, $"{wants} has appendfsync {sync} and loses up to a second of writes when its machine ends: set appendfsync always, or Directory:Durability to aof-everysec.");
            case DurabilityKind.Replicas when Number(Value(info, "connected_slaves")) < durability.Replicas:
                return new(DirectoryStatus.Unavailable, $"{wants} has {Number(Value(info, "connected_slaves"))} replicas connected: start the missing ones, or lower the number.");
            case DurabilityKind.Memory when !hasAof:
                return new(DirectoryStatus.Ok, $"Redis at {server} has appendonly no: sessions that no living node holds are lost when it ends. Set appendonly yes there, and Directory:Durability to aof-everysec to have it checked.");
            default:
                return new(DirectoryStatus.Ok);
        }
    }

    /// <summary>One value of an INFO text; empty when it is not there.</summary>
    internal static string Value(string info, string name)
    {
        foreach (ReadOnlySpan<char> line in info.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] == ':')
            {
                return line[(name.Length + 1)..].ToString();
            }
        }

        return "";
    }

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;

    private static Dictionary<string, string> Read(KeyValuePair<string, string>[] settings)
    {
        Dictionary<string, string> read = new(StringComparer.Ordinal);
        foreach ((string name, string value) in settings)
        {
            read[name] = value;
        }

        return read;
    }

    private static async Task<(T? Answer, string? Fault)> AskAsync<T>(
        RedisConnection connection, Func<Task<T>> ask, string name, TimeSpan deadline, TimeProvider time, CancellationToken cancellation)
    {
        try
        {
            Task<T> asked = ask();
            string? fault = await connection.WaitAsync(asked, name, deadline, time, cancellation);
            return fault is null ? (await asked, null) : (default, fault);
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException or InvalidOperationException)
        {
            // The library throws at once when the server has just gone.
            return (default, RedisConnection.Describe(exception));
        }
    }
}
