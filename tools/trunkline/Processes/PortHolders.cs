using System.Globalization;

namespace Trunkline.Tool.Processes;

/// <summary>Finds who listens on a TCP port of this machine, from /proc.</summary>
internal static class PortHolders
{
    private const string Listening = "0A";

    /// <summary>The ports of <paramref name="ports"/> that someone listens on at 127.0.0.1 or everywhere, with the holder's name and id.</summary>
    public static IReadOnlyDictionary<int, string> Find(IReadOnlyCollection<int> ports)
    {
        Dictionary<int, string> inodes = [];
        foreach (string file in new[] { "/proc/net/tcp", "/proc/net/tcp6" })
        {
            if (File.Exists(file))
            {
                ReadListeners(file, ports, inodes);
            }
        }

        return inodes.Count == 0
            ? new Dictionary<int, string>()
            : inodes.ToDictionary(pair => pair.Key, pair => DescribeHolder(pair.Value));
    }

    // "sl local_address rem_address st ... inode": addresses are hex, host order per 32 bits, then the port.
    private static void ReadListeners(string file, IReadOnlyCollection<int> ports, Dictionary<int, string> inodes)
    {
        foreach (string line in File.ReadLines(file).Skip(1))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 10 || fields[3] != Listening)
            {
                continue;
            }

            string[] local = fields[1].Split(':');
            int port = int.Parse(local[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (ports.Contains(port) && CoversLoopback(local[0]))
            {
                inodes.TryAdd(port, fields[9]);
            }
        }
    }

    private static bool CoversLoopback(string address) =>
        address.All(digit => digit == '0') || address.EndsWith("0100007F", StringComparison.Ordinal);

    private static string DescribeHolder(string inode)
    {
        string wanted = $"socket:[{inode}]";
        foreach (ProcessStat process in ProcessStat.All())
        {
            string folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Pid}");
            try
            {
                if (Directory.EnumerateFiles(folder + "/fd").Any(file => new FileInfo(file).LinkTarget == wanted))
                {
                    return $"{File.ReadAllText(folder + "/comm").Trim()} (process {process.Pid})";
                }
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
            catch (UnauthorizedAccessException)
            {
                // Another user's process: its descriptors are not ours to see.
            }
        }

        return "another user's process";
    }
}
