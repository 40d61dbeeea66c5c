using System.Globalization;
using Trunkline.Tool.Processes;

namespace Trunkline.Tool.Bench.Load;

/// <summary>User and system time of processes, from the kernel.</summary>
internal static class ProcessCpu
{
    // USER_HZ: fixed for every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>Seconds used so far by all of them, to 10 ms each; throws when one is gone.</summary>
    public static double Seconds(IEnumerable<MeasuredProcess> processes) => processes.Sum(process =>
        ProcessStat.Read(process.Pid) is ProcessStat stat && !stat.HasEnded
            ? stat.CpuTicks / TicksPerSecond
            : throw new RoundFault(string.Create(CultureInfo.InvariantCulture, $"{process.Name} ({process.Pid}) ended during the run")));
}
