namespace Trunkline.Tool.Processes;

/// <summary>
/// One process, told from a later one with the same id by when it started and in which boot of the machine:
/// so a reused id is never signalled.
/// </summary>
internal sealed record ProcessIdentity(int Pid, long StartTicks, string BootId)
{
    private static readonly string CurrentBoot = ReadBootId();

    /// <summary>True while this very process runs.</summary>
    public bool IsRunning =>
        BootId == CurrentBoot
        && ProcessStat.Read(Pid) is ProcessStat stat
        && stat.StartTicks == StartTicks
        && !stat.HasEnded;

    /// <summary>The identity of a process that runs now; null when it is gone already.</summary>
    public static ProcessIdentity? Of(int pid) =>
        ProcessStat.Read(pid) is ProcessStat stat ? new ProcessIdentity(pid, stat.StartTicks, CurrentBoot) : null;

    /// <summary>
    /// What still runs of the session this process leads: itself and its workers, also when it died before them.
    /// While a session lives its id is not given to a new process, so the members are ours.
    /// </summary>
    public IReadOnlyList<int> RunningMembers()
    {
        if (BootId != CurrentBoot)
        {
            return [];
        }

        ProcessStat? leader = ProcessStat.Read(Pid);
        if (leader is ProcessStat other && other.StartTicks != StartTicks)
        {
            return [];
        }

        return
        [
            .. ProcessStat.All()
                .Where(stat => (stat.SessionId == Pid || stat.Pid == Pid) && !stat.HasEnded)
                .Select(stat => stat.Pid),
        ];
    }

    private static string ReadBootId()
    {
        const string file = "/proc/sys/kernel/random/boot_id";
        return File.Exists(file) ? File.ReadAllText(file).Trim() : string.Empty;
    }
}
