namespace Trunkline.Protocol;

/// <summary>What <see cref="FrameReader"/> found at the start of a buffer.</summary>
public enum FrameStatus : byte
{
    /// <summary>The packet is not whole yet.</summary>
    NeedMore,

    /// <summary>A whole packet is there.</summary>
    Complete,

    /// <summary>The header is no header.</summary>
    Malformed,

    /// <summary>The header announces more than the limit.</summary>
    TooLarge,
}
