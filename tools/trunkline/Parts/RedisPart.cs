using System.Globalization;
using Trunkline.Tool.Readiness;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Parts;

/// <summary>A Redis that keeps what it was told through kill -9: append-only file, no snapshots.</summary>
internal static class RedisPart
{
    public static Part Create(TierLayout layout)
    {
        const string name = "redis-1";
        int port = layout.Ports.Redis;
        string folder = layout.CreateFolder(name);
        Directory.CreateDirectory(Path.Combine(folder, "data"));
        string file = Path.Combine(folder, "redis.conf");
        File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $"""
            bind 127.0.0.1
            port {port}
            daemonize no
            dir "{folder}/data"
            appendonly yes
            appendfsync everysec
            save ""
            maxmemory-policy noeviction

            """));
        return new Part(
            name,
            PartKind.Redis,
            [Programs.Find("redis-server", "redis-server"), file],
            folder,
            [new PartPort("port", port)],
            new PartReadiness(ReadinessKind.Redis, port))
        {
            Role = "master",
        };
    }
}
