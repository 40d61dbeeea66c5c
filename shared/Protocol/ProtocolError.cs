namespace Trunkline.Protocol;

// Stand-in until branch proto brings the real types; goes with that merge.

/// <summary>Stand-in.</summary>
public enum ReasonCode : byte
{
    /// <summary>Success.</summary>
    Success = 0x00,

    /// <summary>Malformed Packet.</summary>
    MalformedPacket = 0x81,

    /// <summary>Protocol Error.</summary>
    ProtocolError = 0x82,

    /// <summary>Topic Filter invalid.</summary>
    TopicFilterInvalid = 0x8F,

    /// <summary>Topic Name invalid.</summary>
    TopicNameInvalid = 0x90,
}

/// <summary>Stand-in.</summary>
public readonly record struct ProtocolError(ReasonCode Code, string Clause, string Message);
