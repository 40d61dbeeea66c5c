using System.Globalization;
using System.Text.Json;
using StackExchange.Redis;
using Trunkline.Topics;

namespace Trunkline.Directory;

/// <content>Steps on the tier's own keys.</content>
internal sealed partial class RedisStore
{
    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<GenerationReading>> OpenGenerationAsync(string candidate, string lost, CancellationToken cancellation)
    {
        if (_link.Current is not { } connection)
        {
            return DirectoryResult<GenerationReading>.Failed(DirectoryStatus.Unavailable, "not connected: " + _link.Fault);
        }

        (string masters, string? fault) = await RedisFleet.IdentifyAsync(connection, _deadline, _environment.Time, cancellation);
        if (fault is not null)
        {
            return DirectoryResult<GenerationReading>.Failed(DirectoryStatus.Unavailable, fault);
        }

        DirectoryResult<RedisResult[]> result = await RunAsync(RedisScripts.OpenGeneration, _keys.State(), [candidate, lost, masters], cancellation);
        return result.IsOk
            ? DirectoryResult<GenerationReading>.Of(Generation(result.Value[1], result.Value[2], result.Value[3]))
            : DirectoryResult<GenerationReading>.Failed(result.Status, result.Detail);
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<Answer<string>>> RegisterAsync(NodeInfo self, string shape, CancellationToken cancellation)
    {
        string json = JsonSerializer.Serialize(self.ToWire(), NodeWireContext.Default.NodeWire);
        DirectoryResult<RedisResult[]> result = await RunAsync(RedisScripts.Register, _keys.Tier(), [self.Id.ToString(), json, shape], cancellation);
        return result.IsOk
            ? DirectoryResult<Answer<string>>.Of(new(FindingOf(result.Value[0]), (string?)result.Value[1] ?? ""))
            : DirectoryResult<Answer<string>>.Failed(result.Status, result.Detail);
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult> UnregisterAsync(NodeId self, CancellationToken cancellation) =>
        (await RunAsync(RedisScripts.Unregister, _keys.Tier(), [self.ToString()], cancellation)).WithoutValue();

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<BeatReading>> BeatAsync(NodeId self, CancellationToken cancellation)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(RedisScripts.Beat, _keys.Tier(), [self.ToString()], cancellation);
        if (!result.IsOk)
        {
            return DirectoryResult<BeatReading>.Failed(result.Status, result.Detail);
        }

        RedisResult[] reply = result.Value;
        List<KeyValuePair<NodeId, long>> counters = [];
        ForEachPair(reply[6], (node, value) => counters.Add(new(node, Number(value))));
        List<KeyValuePair<NodeId, NodeId>> detaching = [];
        ForEachPair(reply[7], (node, value) => detaching.Add(new(node, Node(value))));
        return DirectoryResult<BeatReading>.Of(new(
            FindingOf(reply[0]), Generation(reply[1], reply[2], reply[3]), Number(reply[4]), Version(reply[5]), counters, detaching));
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<NodesReading>> ReadNodesAsync(CancellationToken cancellation)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(RedisScripts.ReadNodes, _keys.Tier(), [], cancellation);
        if (!result.IsOk)
        {
            return DirectoryResult<NodesReading>.Failed(result.Status, result.Detail);
        }

        List<NodeInfo> nodes = [];
        foreach (RedisResult json in (RedisResult[])result.Value[2]!)
        {
            if (NodeWire.TryRead((string?)json ?? "", out NodeInfo? node))
            {
                nodes.Add(node);
            }
            else
            {
                _meters.Ended("read_node", "damaged");
                DirectoryLog.NodeUnreadable(_environment.Logger, (string?)json ?? "");
            }
        }

        HashSet<NodeId> dead = [.. ((RedisResult[])result.Value[3]!).Select(Node)];
        return DirectoryResult<NodesReading>.Of(new(Number(result.Value[1]), nodes, dead));
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<Answer<bool>>> DeclareDeadAsync(NodeId victim, long counter, string generation, NodeId declarer, CancellationToken cancellation)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(
            RedisScripts.DeclareDead, _keys.Tier(), [victim.ToString(), counter, generation, declarer.ToString()], cancellation);
        return result.IsOk
            ? DirectoryResult<Answer<bool>>.Of(new(FindingOf(result.Value[0]), true))
            : DirectoryResult<Answer<bool>>.Failed(result.Status, result.Detail);
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<SlotMap?>> ReadSlotMapAsync(CancellationToken cancellation)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(RedisScripts.ReadSlots, _keys.Slots(), [], cancellation);
        if (!result.IsOk)
        {
            return DirectoryResult<SlotMap?>.Failed(result.Status, result.Detail);
        }

        byte[] utf8 = (byte[]?)result.Value[2] ?? [];
        if (utf8.Length == 0)
        {
            return DirectoryResult<SlotMap?>.Of(null);
        }

        if (SlotMap.TryParse(utf8, out SlotMap? map))
        {
            return DirectoryResult<SlotMap?>.Of(map);
        }

        // Not passed over: who takes another map in its place sends topics to groups that do not own them.
        _meters.Ended("read_slots", "damaged");
        DirectoryLog.SlotMapUnreadable(_environment.Logger, utf8.Length);
        return DirectoryResult<SlotMap?>.Failed(DirectoryStatus.NewerRecord, SlotsUnreadable);
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<Answer<ulong>>> PublishSlotMapAsync(SlotMap map, ulong expectedVersion, CancellationToken cancellation)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(
            RedisScripts.PublishSlots, _keys.Slots(), [Text(expectedVersion), Text(map.Version), map.ToUtf8()], cancellation);
        return result.IsOk
            ? DirectoryResult<Answer<ulong>>.Of(new(FindingOf(result.Value[0]), Version(result.Value[1])))
            : DirectoryResult<Answer<ulong>>.Failed(result.Status, result.Detail);
    }

    private const string SlotsUnreadable =
        "The directory's slot map is damaged or of a newer version than this proxy knows: start that version, or see to it that {tier}:slots is as it was.";

    private static string Text(ulong version) => version.ToString(CultureInfo.InvariantCulture);

    private static ulong Version(RedisResult value) =>
        ulong.TryParse((string?)value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong version) ? version : 0;

    private static GenerationReading Generation(RedisResult generation, RedisResult ageUs, RedisResult stamped) =>
        new((string?)generation ?? "", Number(ageUs) / 1_000, (string?)stamped == "1");

    private static void ForEachPair(RedisResult flat, Action<NodeId, RedisResult> visit)
    {
        var items = (RedisResult[])flat!;
        for (int i = 0; i + 1 < items.Length; i += 2)
        {
            NodeId node = Node(items[i]);
            if (!node.IsNone)
            {
                visit(node, items[i + 1]);
            }
        }
    }
}
