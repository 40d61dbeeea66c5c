using System.Globalization;

namespace Trunkline.Hosting;

/// <summary>Finds who holds a TCP port, for the message about a busy one.</summary>
public static class PortHolder
{
    private const string ListenState = "0A";

    /// <summary>A sentence that names the process, as far as this user may see it.</summary>
    public static string Describe(int port)
    {
        if (!OperatingSystem.IsLinux())
        {
            return "Another process holds the port.";
        }

        HashSet<string> inodes = [.. Inodes("/proc/net/tcp", port), .. Inodes("/proc/net/tcp6", port)];
        foreach (string process in Directory.EnumerateDirectories("/proc"))
        {
            string name = Path.GetFileName(process);
            if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && Holds(process, inodes))
            {
                return $"The port is held by process {pid} ({CommandOf(process)}).";
            }
        }

        return $"The port is held by a process that this user may not see (try: ss -ltnp 'sport = :{port}' as root).";
    }

    // sl  local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
    private static IEnumerable<string> Inodes(string table, int port)
    {
        string suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        foreach (string line in ReadLines(table).Skip(1))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length > 9 && fields[3] == ListenState && fields[1].EndsWith(suffix, StringComparison.Ordinal))
            {
                yield return $"socket:[{fields[9]}]";
            }
        }
    }

    private static bool Holds(string process, HashSet<string> inodes)
    {
        try
        {
            return Directory.EnumerateFiles(Path.Combine(process, "fd"))
                .Any(file => new FileInfo(file).LinkTarget is { } target && inodes.Contains(target));
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            // Another user's process, or one that has just ended.
            return false;
        }
    }

    private static string CommandOf(string process)
    {
        try
        {
            string command = File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ').Trim();
            return command.Length > 120 ? command[..120] + "..." : command;
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            return "unknown";
        }
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (IOException)
        {
            return [];
        }
    }
}
