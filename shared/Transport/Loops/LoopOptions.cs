namespace Trunkline.Transports;

/// <summary>What a loop is made with.</summary>
public sealed record LoopOptions
{
    /// <summary>Name in logs and of the thread.</summary>
    public string Name { get; init; } = "loop";

    /// <summary>Place among the process's loops, from 0.</summary>
    public int Index { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Who hears of exceptions; without one they are only contained (a <see cref="ManualLoop"/> throws them to the test).</summary>
    public ILoopFaults? Faults { get; init; }

    /// <summary>How much memory the process has left; shared by its loops.</summary>
    public MemoryGauge Memory { get; init; } = new();

    /// <summary>Input one connection is given per turn before the others have theirs, in bytes.</summary>
    public int InputPerTurnBytes { get; init; } = 64 * 1024;

    /// <summary>Output one connection gathers before it is sent within the turn, in bytes.</summary>
    public int GatherPerTransportBytes { get; init; } = 64 * 1024;

    /// <summary>Buffer memory all connections gather in before it is sent within the turn, in bytes.</summary>
    public int GatherPerLoopBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>When several events share one wake-up; never unless a program asks for it.</summary>
    public CoalescingOptions Coalescing { get; init; } = new() { IntervalUs = 0 };
}
