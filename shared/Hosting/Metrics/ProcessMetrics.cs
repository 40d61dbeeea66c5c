using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Trunkline.Hosting.Metrics;

/// <summary>What every Prometheus client library says about its process, under the customary names.</summary>
internal static class ProcessMetrics
{
    public static void Render(StringBuilder text, long failures)
    {
        Add(text, "process_cpu_seconds_total", "counter", "User and system CPU time.", Environment.CpuUsage.TotalTime.TotalSeconds);
        GCMemoryInfo heap = GC.GetGCMemoryInfo();
        Add(text, "dotnet_gc_heap_size_bytes", "gauge", "Managed heap after the last collection.", heap.HeapSizeBytes);
        Add(text, "dotnet_gc_heap_fragmented_bytes", "gauge", "What of it was free between objects.", heap.FragmentedBytes);
        Add(text, "dotnet_gc_heap_committed_bytes", "gauge", "Memory held for it, used or not.", heap.TotalCommittedBytes);
        Add(text, "dotnet_gc_allocated_bytes_total", "counter", "Bytes allocated on the managed heap, to about 8 KiB a thread.", GC.GetTotalAllocatedBytes());
        Add(text, "dotnet_gc_pause_seconds_total", "counter", "Time paused for collections.", GC.GetTotalPauseDuration().TotalSeconds);
        Add(text, "trunkline_scrape_failures_total", "counter", "Scrapes in which an instrument failed and was left out.", failures);
        try
        {
            RenderFiles(text);
        }
        catch (Exception exception) when (exception is IOException or SystemException)
        {
            // They are read from files of /proc: without a descriptor left these are missing, and the others tell why.
        }
    }

    private static void RenderFiles(StringBuilder text)
    {
        using Process process = Process.GetCurrentProcess();
        double started = new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0;
        Add(text, "process_resident_memory_bytes", "gauge", "Resident memory.", process.WorkingSet64);
        Add(text, "process_start_time_seconds", "gauge", "Start time since the epoch.", started);
        Add(text, "process_threads", "gauge", "Threads.", process.Threads.Count);
        if (OperatingSystem.IsLinux() && FileCounts.OpenDescriptors() is >= 0 and var descriptors)
        {
            Add(text, "process_open_fds", "gauge", "Open descriptors.", descriptors);
            Add(text, "process_max_fds", "gauge", "Descriptors this process may open; 0 when unlimited or unknown.", MaximumDescriptors());
        }
    }

    // "Max open files            1048576              1048576              files"
    private static double MaximumDescriptors()
    {
        string? line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        string[] fields = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return fields.Length > 3 && double.TryParse(fields[3], CultureInfo.InvariantCulture, out double limit) ? limit : 0;
    }

    private static void Add(StringBuilder text, string name, string type, string help, double value) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n')
            .Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n')
            .Append(name).Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
}
