namespace Trunkline.Directory;

/// <summary>Whether the directory serves.</summary>
public enum DirectoryState : byte
{
    /// <summary>Not connected, or answers are missing; connecting is tried with backoff.</summary>
    Unavailable,

    /// <summary>Connected; the generation is new and the grace lasts.</summary>
    Recovering,

    /// <summary>Connected.</summary>
    Connected,
}

/// <summary>State of the directory for health pages; an immutable snapshot.</summary>
/// <param name="State">The state.</param>
/// <param name="Since">Since when, by the wall clock.</param>
/// <param name="Detail">Why, for people.</param>
/// <param name="Generation">The generation last seen, or empty.</param>
/// <param name="Connection">Number of the connection: rises with every loss, so equal numbers mean an unbroken connection.</param>
public sealed record DirectoryHealth(DirectoryState State, DateTimeOffset Since, string Detail, string Generation, long Connection);
