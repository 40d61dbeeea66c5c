using Trunkline.Transports;

namespace Trunkline.Hosting.Devices;

/// <summary>Gives each accepted transport its MQTT channel.</summary>
/// <param name="server">The server the connections belong to.</param>
/// <param name="connectDeadlineMs">Milliseconds from accept until CONNECT must be whole.</param>
public sealed class DeviceAcceptor(DeviceServer server, long connectDeadlineMs) : IConnectionAcceptor
{
    /// <inheritdoc/>
    public void OnAccepted(Transport transport) =>
        transport.Handler = new DeviceConnection(server, transport, Left(transport));

    // The layers below MQTT have used some of the time already.
    private long Left(Transport transport) => transport.AcceptedMs == 0
        ? connectDeadlineMs
        : long.Max(0, transport.AcceptedMs + connectDeadlineMs - transport.Loop.NowMs);
}
