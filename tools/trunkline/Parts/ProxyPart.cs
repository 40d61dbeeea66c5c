using System.Globalization;
using Trunkline.Tool.Readiness;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Parts;

/// <summary>A proxy with every kind of listener, towards the tier's groups and directory.</summary>
internal static class ProxyPart
{
    private static readonly string[] Loopback = ["127.0.0.1"];

    public static Part Create(TierLayout layout, int number)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"proxy-{number}");
        int first = layout.Ports.Proxy(number);
        string folder = layout.CreateFolder(name);
        PartPort[] ports =
        [
            new("mqtt", first), new("mqtts", first + 1), new("ws", first + 2), new("wss", first + 3), new("management", first + 4),
        ];
        object settings = new
        {
            Node = new { Name = name },
            Listeners = ports[..4].Select(port => Listener(layout, port)).ToArray(),
            Management = new { Address = OwnPrograms.Loopback(first + 4) },
            Groups = Enumerable.Range(0, layout.Specification.Groups).Select(group => Group(layout, group)).ToArray(),
            Directory = DirectorySettings(layout),
        };
        return new Part(
            name,
            PartKind.Proxy,
            OwnPrograms.Command(Repository.ProxyProgram, folder, settings, layout.Specification.ProxySettings),
            folder,
            ports,
            new PartReadiness(ReadinessKind.Http, first + 4));
    }

    // nginx and devices use the same ports: the first bytes tell a PROXY header from a device.
    private static Dictionary<string, object> Listener(TierLayout layout, PartPort port)
    {
        Dictionary<string, object> listener = new()
        {
            ["Name"] = port.Name,
            ["Type"] = port.Name switch { "mqtt" => "tcp", "mqtts" => "tls", _ => port.Name },
            ["Address"] = OwnPrograms.Loopback(port.Number),
            ["ProxyProtocol"] = new { Mode = "optional", TrustedAddresses = Loopback },
        };
        if (port.Name is "ws" or "wss")
        {
            listener["WebSocket"] = new { ForwardedForTrustedAddresses = Loopback };
        }

        if (port.Name is "mqtts" or "wss")
        {
            listener["Tls"] = new { CertificatePath = layout.Authority.CertificateFile, KeyPath = layout.Authority.KeyFile };
        }

        return listener;
    }

    private static object Group(TierLayout layout, int group) => new
    {
        Name = TierLayout.GroupName(group),
        Kind = layout.Specification.Broker == BrokerKind.Trunkline ? "trunkline" : "foreign",
        Address = OwnPrograms.Loopback(layout.Ports.Broker(group)),
        Log = layout.Specification.LogsInRedis ? "redis" : "none",
    };

    private static object DirectorySettings(TierLayout layout)
    {
        TierSpecification tier = layout.Specification;
        return tier.Redis == RedisKind.None
            ? new { }
            : new
            {
                Endpoints = RedisParts.EndpointPorts(layout).Select(OwnPrograms.Loopback).ToArray(),
                SentinelMaster = tier.Redis == RedisKind.Sentinel ? RedisParts.MasterName : "",
                // The first device with a session to keep waits for it after an empty Redis; on one machine nodes are back soon.
                RecoveringGraceMs = 3_000,
                Durability = tier.RedisDurability == "replicas" ? "replicas(1)" : tier.RedisDurability,
            };
    }
}
