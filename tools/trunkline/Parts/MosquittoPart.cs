using System.Globalization;
using Trunkline.Tool.Readiness;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Parts;

/// <summary>A Mosquitto fit to be a group: with its own limits on what is in flight and queued it would drop messages.</summary>
internal static class MosquittoPart
{
    public static Part Create(TierLayout layout, int group)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"broker-{group}");
        int port = layout.Ports.Broker(group);
        string folder = layout.CreateFolder(name);
        string data = Path.Combine(folder, "data");
        Directory.CreateDirectory(data);
        string file = Path.Combine(folder, "mosquitto.conf");
        File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $"""
            user {Environment.UserName}
            listener {port} 127.0.0.1
            allow_anonymous true
            max_inflight_messages 0
            max_queued_messages 0
            retain_available true
            persistence true
            persistence_location {data}/
            autosave_interval 5
            set_tcp_nodelay true
            log_dest stderr
            log_type error
            log_type warning
            log_type notice
            log_type information

            """));
        return new Part(
            name,
            PartKind.Broker,
            [Programs.Find("mosquitto", "mosquitto"), "-c", file],
            folder,
            [new PartPort("mqtt", port)],
            new PartReadiness(ReadinessKind.Mqtt, port))
        {
            Group = group,
        };
    }
}
