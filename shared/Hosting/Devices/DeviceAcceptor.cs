using Trunkline.Transports;

namespace Trunkline.Hosting.Devices;

/// <summary>Gives each accepted transport its MQTT channel.</summary>
/// <param name="server">The server the connections belong to.</param>
/// <param name="connectDeadlineMs">Milliseconds from accept until CONNECT must be whole.</param>
public sealed class DeviceAcceptor(DeviceServer server, long connectDeadlineMs) : IConnectionAcceptor
{
    /// <inheritdoc/>
    public void OnAccepted(Transport transport)
    {
        var connection = new DeviceConnection(server, transport, Left(transport));
        transport.Handler = connection;
        if (server.IsShuttingDown)
        {
            // Its TLS handshake or upgrade took until now.
            connection.ShutDown();
        }
    }

    // The layers below MQTT have used some of the time already.
    private long Left(Transport transport) => transport.AcceptedMs == 0
        ? connectDeadlineMs
        : long.Max(0, transport.AcceptedMs + connectDeadlineMs - transport.Loop.NowMs);
}
