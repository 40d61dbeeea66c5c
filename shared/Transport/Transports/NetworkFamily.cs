namespace Trunkline.Transports;

/// <summary>Kind of a <see cref="NetworkAddress"/>.</summary>
public enum NetworkFamily : byte
{
    /// <summary>No address.</summary>
    None,

    /// <summary>IPv4.</summary>
    IPv4,

    /// <summary>IPv6.</summary>
    IPv6,

    /// <summary>A Unix socket.</summary>
    Unix,
}
