using System.Globalization;
using Trunkline.Tool.Readiness;
using Trunkline.Tool.Tier;

namespace Trunkline.Tool.Parts;

/// <summary>Our own broker process, one a group.</summary>
internal static class BrokerPart
{
    public static Part Create(TierLayout layout, int group)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"broker-{group}");
        int mqtt = layout.Ports.Broker(group);
        int management = mqtt + 1;
        string folder = layout.CreateFolder(name);
        object settings = new
        {
            Group = TierLayout.GroupName(group),
            Listeners = new[] { new { Name = "mqtt", Type = "tcp", Address = OwnPrograms.Loopback(mqtt) } },
            Management = new { Address = OwnPrograms.Loopback(management) },
            Broker = layout.Specification.Store == BrokerStore.Memory
                ? (object)new { Store = "memory" }
                : new { Store = "file", DataDirectory = Path.Combine(folder, "data"), Commit = layout.Specification.Commit.ToString().ToLowerInvariant() },
        };
        return new Part(
            name,
            PartKind.Broker,
            OwnPrograms.Command(Repository.BrokerProgram, folder, settings, layout.Specification.BrokerSettings),
            folder,
            [new PartPort("mqtt", mqtt), new PartPort("management", management)],
            new PartReadiness(ReadinessKind.Http, management))
        {
            Group = group,
        };
    }
}
