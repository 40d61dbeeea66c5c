namespace Trunkline.Proxy;

/// <summary>Why a node ended by itself.</summary>
/// <param name="Kind">What follows from it.</param>
/// <param name="Sentence">What happened and what to do.</param>
internal sealed record NodeEnd(NodeEndKind Kind, string Sentence);

/// <summary>What follows from the end of a node.</summary>
internal enum NodeEndKind
{
    /// <summary>It was asked to stop.</summary>
    Stopped,

    /// <summary>The process starts again as a new node.</summary>
    DeclaredDead,

    /// <summary>The configuration does not fit the tier: the process ends.</summary>
    Refused,
}
