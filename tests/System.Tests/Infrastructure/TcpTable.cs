using System.Globalization;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>Connections of this machine, from /proc/net/tcp.</summary>
public static class TcpTable
{
    private const string Established = "01";

    /// <summary>Connections that a server at this port holds.</summary>
    public static int EstablishedAt(int port)
    {
        // sl, local address, remote address, state: addresses are hex, then ":" and the port in hex.
        // The kernel does not stop the world for a reader: a row may come twice.
        string suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        return File.ReadLines("/proc/net/tcp")
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length > 3 && fields[3] == Established && fields[1].EndsWith(suffix, StringComparison.Ordinal))
            .DistinctBy(fields => (fields[1], fields[2]))
            .Count();
    }
}
