using System.Net.Sockets;

namespace Trunkline.Hosting;

/// <summary>Probes of silent peers by TCP itself.</summary>
internal static class TcpKeepAlive
{
    private const int Probes = 3;

    /// <summary>Probes a peer after so many seconds of silence, and three times a quarter of that apart; 0 for never.</summary>
    public static void Set(Socket socket, int seconds)
    {
        if (seconds <= 0)
        {
            return;
        }

        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, seconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, int.Max(1, seconds / 4));
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
    }
}
