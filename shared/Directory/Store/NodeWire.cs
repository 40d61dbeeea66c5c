using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Trunkline.Directory;

/// <summary>A node's entry as it is stored. Unknown members of a newer version are passed over.</summary>
internal sealed record NodeWire(string? Id, string? Name, string? Mqtt, string? Management, string? Version)
{
    internal static bool TryRead(string json, [NotNullWhen(true)] out NodeInfo? node)
    {
        node = null;
        try
        {
            NodeWire? wire = JsonSerializer.Deserialize(json, NodeWireContext.Default.NodeWire);
            if (wire is null || !NodeId.TryParse(wire.Id, out NodeId id) || id.IsNone)
            {
                return false;
            }

            node = new NodeInfo(id, wire.Name ?? "", wire.Mqtt ?? "", wire.Management ?? "", wire.Version ?? "");
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

/// <summary>Source-generated reader and writer.</summary>
[JsonSerializable(typeof(NodeWire))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class NodeWireContext : JsonSerializerContext;

/// <summary>To the stored form.</summary>
internal static class NodeWireExtensions
{
    internal static NodeWire ToWire(this NodeInfo node) =>
        new(node.Id.ToString(), node.Name, node.MqttEndpoint, node.ManagementEndpoint, node.Version);
}
