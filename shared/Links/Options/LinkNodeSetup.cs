using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

/// <summary>What a <see cref="LinkNode"/> is made of.</summary>
public sealed record LinkNodeSetup
{
    /// <summary>How links behave.</summary>
    public LinkOptions Options { get; init; } = new();

    /// <summary>The node's id, new with each run: 1 to 32 letters, digits and -.</summary>
    public required string NodeId { get; init; }

    /// <summary>One context per loop, in the order of the loops' indexes; at most 64.</summary>
    public required IReadOnlyList<SessionContext> Contexts { get; init; }

    /// <summary>The groups in the order of their numbers in the slot map.</summary>
    public required IReadOnlyList<GroupEndpoint> Groups { get; init; }

    /// <summary>Which group owns which slot.</summary>
    public required SlotMap Slots { get; init; }

    /// <summary>Levels of a topic that make its key; 0 for the whole topic.</summary>
    public int KeyLevels { get; init; }

    /// <summary>The version shown at $SYS/broker/version.</summary>
    public string Version { get; init; } = "trunkline";

    /// <summary>Where log lines go.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>Told when a group was refused; on a loop's thread; may be null.</summary>
    public Action<LinkFailure>? Failed { get; init; }

    /// <summary>Every error in this setup.</summary>
    public IEnumerable<string> Validate()
    {
        if (NodeId.Length is 0 or > 32 || !NodeId.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
        {
            yield return $"The node id \"{NodeId}\" must be 1 to 32 letters, digits and -.";
        }

        if (Contexts.Count is 0 or > 64)
        {
            yield return $"A node has 1 to 64 loops, not {Contexts.Count}.";
        }

        for (int i = 0; i < Contexts.Count; i++)
        {
            if (Contexts[i].Loop.Index != i)
            {
                yield return $"Context {i} belongs to loop {Contexts[i].Loop.Index}; give them in the order of the loops.";
            }
        }

        if (Groups.Count < Slots.GroupCount || Groups.Count == 0)
        {
            yield return $"The slot map names {Slots.GroupCount} groups, but {Groups.Count} are configured.";
        }

        foreach (string error in Options.Validate("Links"))
        {
            yield return error;
        }
    }
}

/// <summary>A group that this node refuses.</summary>
/// <param name="Group">Its number.</param>
/// <param name="GroupName">Its name.</param>
/// <param name="Sentence">What failed and what to do.</param>
public sealed record LinkFailure(int Group, string GroupName, string Sentence);
