using Microsoft.Extensions.Logging;
using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>What every part of a node knows; immutable.</summary>
internal sealed class NodeWiring(LinkNodeSetup setup, ILogger log)
{
    public LinkOptions Options { get; } = setup.Options;

    public string NodeId { get; } = setup.NodeId;

    public IReadOnlyList<SessionContext> Contexts { get; } = setup.Contexts;

    public int KeyLevels { get; } = setup.KeyLevels;

    public string Version { get; } = setup.Version;

    public ILogger Log { get; } = log;

    public Action<LinkFailure>? Failed { get; } = setup.Failed;

    public bool HasForeign { get; } = setup.Groups.Any(group => group.Kind == GroupKind.Foreign);

    /// <summary>The seed of the jitter: the same node id gives the same waits, so that a test can repeat them.</summary>
    public int Seed { get; } = setup.Options.Seed != 0
        ? setup.Options.Seed
        : setup.NodeId.Aggregate(17, (hash, letter) => unchecked((hash * 31) + letter));
}
