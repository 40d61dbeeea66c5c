using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;

namespace Trunkline.Tool.Bench.Load;

/// <summary>
/// Memory that a process of ours holds on to: its live objects after a collection, and every page that is resident outside the
/// managed heap once the C library has given back what is free. Resident memory as a whole also has garbage that nobody has
/// collected yet, and free pages that were touched once, which the next objects take without that it grows.
/// </summary>
internal static class HeldMemory
{
    private const string Trims = "trunkline_memory_trims_total";

    // GCHeapCollect of Microsoft-Windows-DotNETRuntime: whoever begins to listen for it has everything collected.
    private const long HeapCollect = 0x800000;

    // A process gives memory back each second from when it compiled something until ten seconds later, then once a minute. What
    // was needed to compile is free some seconds after it; a process of a minute still compiles now and then what it does rarely.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(20);
    private const int Still = 3;

    /// <summary>
    /// Bytes, after a collection that this causes and once the process has given memory back since and does so no longer, or has
    /// for <see cref="Enough"/>.
    /// </summary>
    public static async Task<double> BytesAsync(MeasuredProcess process, int managementPort, TimeProvider time, CancellationToken cancellation)
    {
        await CollectAsync(process.Pid, cancellation);
        Metrics collected = await Metrics.ReadAsync(managementPort, cancellation);
        double live = collected.Sum("dotnet_gc_heap_size_bytes") - collected.Sum("dotnet_gc_heap_fragmented_bytes");
        double trims = collected.Sum(Trims);
        bool hasTrimmed = false;
        long start = time.GetTimestamp();
        for (int still = 0; !hasTrimmed || (still < Still && time.GetElapsedTime(start) < Enough);)
        {
            if (time.GetElapsedTime(start) > Patience)
            {
                throw new RoundFault($"{process.Name} gave no memory back in {Patience.TotalSeconds} s; is Memory:TrimIntervalMs 0?");
            }

            await Task.Delay(TimeSpan.FromSeconds(1), time, cancellation);
            double now = (await Metrics.ReadAsync(managementPort, cancellation)).Sum(Trims);
            hasTrimmed |= now > trims;
            still = now > trims ? 0 : still + 1;
            trims = now;
        }

        return live + ProcessMemory.OutsideHeap(process, collected.Sum("dotnet_gc_heap_committed_bytes"));
    }

    /// <summary>Has a process collect all generations, and returns when it has.</summary>
    public static async Task CollectAsync(int pid, CancellationToken cancellation)
    {
        EventPipeProvider runtime = new("Microsoft-Windows-DotNETRuntime", EventLevel.Informational, HeapCollect);
        using EventPipeSession session = await new DiagnosticsClient(pid).StartEventPipeSessionAsync(runtime, requestRundown: false, circularBufferMB: 1, cancellation);
        // What it tells must be read, or its stop waits; the end of it comes after the collection.
        Task drained = session.EventStream.CopyToAsync(Stream.Null, cancellation);
        await session.StopAsync(cancellation);
        await drained;
    }
}
