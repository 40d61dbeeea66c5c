using System.Globalization;
using Trunkline.Loadtest;
using Trunkline.Tool.Processes;

namespace Trunkline.Tool.Bench.Load;

/// <summary>User and system time of processes, from the kernel.</summary>
internal static class ProcessCpu
{
    /// <summary>Seconds used so far by all of them, to the nanosecond; throws when one is gone.</summary>
    public static double Seconds(IEnumerable<MeasuredProcess> processes) => processes.Sum(process =>
        ProcessStat.Read(process.Pid) is { HasEnded: false } && ProcessClock.CpuSeconds(process.Pid) is { } seconds
            ? seconds
            : throw new RoundFault(string.Create(CultureInfo.InvariantCulture, $"{process.Name} ({process.Pid}) ended during the run")));
}
