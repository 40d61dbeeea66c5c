using System.Globalization;

namespace Trunkline.Loadtest;

/// <summary>A process to measure; processes of one name are added up.</summary>
internal sealed record ProcessName(int Pid, string Name)
{
    /// <summary>Reads "123" or "123=nginx"; without a name the command's own.</summary>
    public static ProcessName Parse(string text)
    {
        string[] parts = text.Split('=', 2);
        if (!int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int pid) || pid <= 0)
        {
            throw new OptionException($"\"{text}\" names no process; write PID or PID=NAME.");
        }

        if (!Directory.Exists($"/proc/{pid}"))
        {
            throw new OptionException($"there is no process {pid}.");
        }

        string name = parts.Length == 2 && parts[1].Length > 0 ? parts[1] : File.ReadAllText($"/proc/{pid}/comm").Trim();
        return new ProcessName(pid, name);
    }
}
