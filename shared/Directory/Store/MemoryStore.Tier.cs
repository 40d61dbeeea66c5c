using Trunkline.Topics;

namespace Trunkline.Directory;

/// <content>Steps on the tier.</content>
internal sealed partial class MemoryStore
{
    /// <inheritdoc/>
    public ValueTask<DirectoryResult<GenerationReading>> OpenGenerationAsync(string candidate, string lost, CancellationToken cancellation) =>
        Look(
            contents =>
            {
                if (contents.Generation.Length == 0 || (contents.Generation == lost && contents.Stamped))
                {
                    contents.Generation = candidate;
                    contents.GenerationAtUs = memory.NowUs();
                    contents.Stamped = false;
                }

                return Reading(contents);
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult> StampBucketsAsync(string generation, CancellationToken cancellation) =>
        StepOnly(contents => contents.Stamped = contents.Generation == generation, cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Answer<string>>> RegisterAsync(NodeInfo self, string shape, CancellationToken cancellation) =>
        Step<Answer<string>>(
            contents =>
            {
                if (contents.Dead.Contains(self.Id))
                {
                    return new(Finding.Dead, "");
                }

                if (contents.Generation.Length == 0)
                {
                    return new(Finding.WrongGeneration, "");
                }

                if (contents.Shape is { } other && other != shape)
                {
                    return new(Finding.Refused, other);
                }

                contents.SetShape(shape);
                contents.Nodes[self.Id] = self;
                contents.Counters[self.Id] = contents.Counters.GetValueOrDefault(self.Id) + 1;
                contents.NodesVersion++;
                return new(Finding.Ok, shape);
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult> UnregisterAsync(NodeId self, CancellationToken cancellation) =>
        StepOnly(
            contents =>
            {
                contents.Nodes.Remove(self);
                contents.Counters.Remove(self);
                contents.SetCheckpoint(self, null);
                contents.NodesVersion++;
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<BeatReading>> BeatAsync(NodeId self, CancellationToken cancellation) =>
        Look(
            contents =>
            {
                Finding standing = contents.Dead.Contains(self) ? Finding.Dead
                    : contents.Nodes.ContainsKey(self) ? Finding.Ok
                    : Finding.Missing;
                if (standing == Finding.Ok)
                {
                    contents.Counters[self]++;
                }

                return new BeatReading(standing, Reading(contents), contents.NodesVersion, contents.Slots?.Version ?? 0,
                    [.. contents.Counters], [.. contents.Detaching]);
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<NodesReading>> ReadNodesAsync(CancellationToken cancellation) =>
        Look(contents => new NodesReading(contents.NodesVersion, [.. contents.Nodes.Values], contents.Dead.ToHashSet()), cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Answer<bool>>> DeclareDeadAsync(NodeId victim, long counter, string generation, NodeId declarer, CancellationToken cancellation) =>
        Look<Answer<bool>>(
            contents =>
            {
                if (contents.Generation != generation)
                {
                    return new(Finding.WrongGeneration, false);
                }

                if (!contents.Counters.TryGetValue(victim, out long stored))
                {
                    return new(Finding.Missing, false);
                }

                if (stored != counter)
                {
                    return new(Finding.Stale, false);
                }

                contents.Dead.Add(victim);
                contents.Nodes.Remove(victim);
                contents.Counters.Remove(victim);
                contents.Detaching[victim] = declarer;
                contents.NodesVersion++;
                return new(Finding.Ok, true);
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<SlotMap?>> ReadSlotMapAsync(CancellationToken cancellation) =>
        Look(contents => contents.Slots, cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Answer<ulong>>> PublishSlotMapAsync(SlotMap map, ulong expectedVersion, CancellationToken cancellation) =>
        Step<Answer<ulong>>(
            contents =>
            {
                ulong stored = contents.Slots?.Version ?? 0;
                if (stored != expectedVersion)
                {
                    return new(Finding.Stale, stored);
                }

                contents.SetSlots(map);
                return new(Finding.Ok, map.Version);
            },
            cancellation);

    private GenerationReading Reading(MemoryContents contents) =>
        new(contents.Generation, memory.IsAlone ? int.MaxValue : (memory.NowUs() - contents.GenerationAtUs) / 1_000, contents.Stamped);
}
