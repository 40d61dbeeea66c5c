using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>What a PROXY header said.</summary>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Source">The device's address; none for LOCAL, UNKNOWN and unspecified families: then the peer's own counts.</param>
/// <param name="Destination">The address the device had connected to; none likewise.</param>
/// <param name="Authority">Host name the client asked for (TLV PP2_TYPE_AUTHORITY), or null.</param>
public readonly record struct ProxyHeader(int Length, NetworkAddress Source, NetworkAddress Destination, string? Authority);
