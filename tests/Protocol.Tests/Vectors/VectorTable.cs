using static Trunkline.Protocol.PacketSender;
using static Trunkline.Protocol.ProtocolVersion;

namespace Trunkline.Protocol.Tests.Vectors;

/// <summary>The tables of all packets, and how tests get at them.</summary>
internal static partial class VectorTable
{
    public static IReadOnlyList<Vector> All { get; } =
    [
        .. Connects(), .. ConnAcks(), .. Publishes(), .. Acknowledgements(), .. Subscribes(), .. Endings(),
    ];

    public static IEnumerable<Vector> Good => All.Where(vector => !vector.IsError);

    private static IEnumerable<Vector> In3(PacketSender sender, string source, string expected) =>
        [new(Mqtt31, sender, source, expected), new(Mqtt311, sender, source, expected)];

    private static IEnumerable<Vector> InAll(PacketSender sender, string source, string expected) =>
        [.. In3(sender, source, expected), new(Mqtt50, sender, source, expected)];

    private static IEnumerable<Vector> FromBoth(string source, string expected) =>
        [new(Mqtt50, Client, source, expected), new(Mqtt50, Server, source, expected)];
}
