using System.Globalization;
using Trunkline.Tool.Readiness;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Parts;

/// <summary>
/// The directory's Redis: one server; a master with a replica and three sentinels; or a Cluster of three masters with a
/// replica each. By default they keep what they were told through kill -9: append-only file, no snapshots.
/// </summary>
internal static class RedisParts
{
    public const string MasterName = "trunkline";
    public const int ClusterMasters = 3;
    private const int Sentinels = 3;

    /// <summary>Servers a device of the directory is told of: sentinels, or data nodes.</summary>
    public static IReadOnlyList<int> EndpointPorts(TierLayout layout) => layout.Specification.Redis switch
    {
        RedisKind.None => [],
        RedisKind.Single => [layout.Ports.Redis(1)],
        RedisKind.Sentinel => [.. Enumerable.Range(1, Sentinels).Select(layout.Ports.Sentinel)],
        _ => [.. Enumerable.Range(1, 2 * ClusterMasters).Select(layout.Ports.Redis)],
    };

    public static IEnumerable<Part> Create(TierLayout layout)
    {
        switch (layout.Specification.Redis)
        {
            case RedisKind.Single:
                yield return Server(layout, 1, "master");
                break;
            case RedisKind.Sentinel:
                yield return Server(layout, 1, "master");
                yield return Server(layout, 2, "replica", string.Create(CultureInfo.InvariantCulture, $"replicaof 127.0.0.1 {layout.Ports.Redis(1)}\n"));
                for (int number = 1; number <= Sentinels; number++)
                {
                    yield return Sentinel(layout, number);
                }

                break;
            case RedisKind.Cluster:
                for (int number = 1; number <= 2 * ClusterMasters; number++)
                {
                    yield return Server(layout, number, number <= ClusterMasters ? "master" : "replica", string.Create(CultureInfo.InvariantCulture, $"""
                        cluster-enabled yes
                        cluster-config-file nodes.conf
                        cluster-node-timeout 3000
                        cluster-port {layout.Ports.RedisBus(number)}

                        """));
                }

                break;
        }
    }

    private static Part Server(TierLayout layout, int number, string role, string more = "")
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"redis-{number}");
        int port = layout.Ports.Redis(number);
        string folder = layout.CreateFolder(name);
        Directory.CreateDirectory(Path.Combine(folder, "data"));
        string file = Path.Combine(folder, "redis.conf");

        // Sentinels have it rewrite this file, so that a restarted server stays what they made it.
        File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $"""
            bind 127.0.0.1
            port {port}
            daemonize no
            dir "{folder}/data"
            appendonly {(layout.Specification.RedisDurability == "memory" ? "no" : "yes")}
            appendfsync {(layout.Specification.RedisDurability == "aof-always" ? "always" : "everysec")}
            save ""
            maxmemory-policy noeviction
            repl-diskless-sync-delay 0
            {more}
            """));
        List<PartPort> ports = [new("port", port)];
        if (layout.Specification.Redis == RedisKind.Cluster)
        {
            ports.Add(new("bus", layout.Ports.RedisBus(number)));
        }

        return new Part(
            name, PartKind.Redis, [Programs.Find("redis-server", "redis-server"), file], folder, ports, new PartReadiness(ReadinessKind.Redis, port))
        {
            Role = role,
        };
    }

    private static Part Sentinel(TierLayout layout, int number)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"sentinel-{number}");
        int port = layout.Ports.Sentinel(number);
        string folder = layout.CreateFolder(name);
        string file = Path.Combine(folder, "sentinel.conf");
        File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $"""
            bind 127.0.0.1
            port {port}
            daemonize no
            dir "{folder}"
            sentinel monitor {MasterName} 127.0.0.1 {layout.Ports.Redis(1)} 2
            sentinel down-after-milliseconds {MasterName} 2000
            sentinel failover-timeout {MasterName} 6000
            sentinel parallel-syncs {MasterName} 1

            """));
        return new Part(
            name, PartKind.Redis, [Programs.Find("redis-server", "redis-server"), file, "--sentinel"], folder, [new PartPort("port", port)],
            new PartReadiness(ReadinessKind.Redis, port))
        {
            Role = "sentinel",
        };
    }
}
