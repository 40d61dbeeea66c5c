using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>A listener that listens.</summary>
/// <param name="Options">What it was made with.</param>
/// <param name="Address">The address and port it got.</param>
public sealed record BoundListener(ListenerOptions Options, NetworkAddress Address);
