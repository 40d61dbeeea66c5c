using System.Net;
using Microsoft.Extensions.Logging;

namespace Trunkline.Hosting;

/// <summary>Warns of ports that whoever reaches them may use: nothing asks for a password yet, so the defaults are loopback.</summary>
public static class OpenDoors
{
    /// <summary>One line for each listener that is open beyond this machine without asking for a certificate, and for the management port.</summary>
    public static void Warn(ILogger logger, IReadOnlyList<ListenerOptions> listeners, IPEndPoint management)
    {
        foreach (ListenerOptions listener in listeners)
        {
            bool asks = listener.UsesTls && !string.IsNullOrEmpty(listener.Tls.ClientCaPath) && listener.Tls.RequireClientCertificate;
            if (!asks && ListenerOptions.TryParseEndPoint(listener.Address, out IPEndPoint? endPoint) && !IPAddress.IsLoopback(endPoint!.Address))
            {
                logger.OpenDoor(listener.Name, listener.Address);
            }
        }

        if (!IPAddress.IsLoopback(management.Address))
        {
            logger.OpenManagementDoor(management.ToString());
        }
    }
}
