namespace Trunkline.Loadtest;

/// <summary>What a received message is to its subscriber.</summary>
internal enum Arrival
{
    /// <summary>First copy, after everything earlier that came.</summary>
    InOrder,

    /// <summary>First copy, but a later message of the publisher came before it.</summary>
    Reordered,

    /// <summary>Was received before.</summary>
    Duplicate,
}
