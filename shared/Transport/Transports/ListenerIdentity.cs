namespace Trunkline.Transports;

/// <summary>Names the listener (or connector) a connection belongs to; one object for all of its connections.</summary>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="Type">tcp, tls, ws, wss or memory.</param>
/// <param name="Local">The address it is bound to.</param>
public sealed record ListenerIdentity(string Name, string Type, NetworkAddress Local);
