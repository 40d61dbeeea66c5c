using System.Globalization;

namespace Trunkline.Tool.Processes;

/// <summary>The fields of /proc/PID/stat that tell one process from another.</summary>
internal readonly record struct ProcessStat(int Pid, char State, int Threads, int SessionId, long StartTicks)
{
    /// <summary>
    /// A zombie has ended, only its parent has not asked yet; but while further threads of it are on their way out it still
    /// holds its ports and files.
    /// </summary>
    public bool HasEnded => State is 'X' or 'x' || (State == 'Z' && Threads <= 1);

    /// <summary>Reads one process's fields; null when there is none of that id.</summary>
    public static ProcessStat? Read(int pid)
    {
        string text;
        try
        {
            text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }

        // "PID (name) state ppid pgrp session ..."; the name may hold spaces and parentheses.
        int nameEnd = text.LastIndexOf(')');
        if (nameEnd < 0)
        {
            return null;
        }

        string[] fields = text[(nameEnd + 2)..].Split(' ');
        return new ProcessStat(
            pid,
            fields[0][0],
            int.Parse(fields[17], CultureInfo.InvariantCulture),
            int.Parse(fields[3], CultureInfo.InvariantCulture),
            long.Parse(fields[19], CultureInfo.InvariantCulture));
    }

    /// <summary>All processes of this machine that can be read.</summary>
    public static IEnumerable<ProcessStat> All()
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && Read(pid) is ProcessStat stat)
            {
                yield return stat;
            }
        }
    }
}
