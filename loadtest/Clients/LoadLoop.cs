using Trunkline.Hosting;
using Trunkline.Transports;

namespace Trunkline.Loadtest;

/// <summary>One thread of the generator: its loop, what it counts and who paces on it.</summary>
internal sealed class LoadLoop : IDisposable
{
    /// <summary>Makes and starts the loop.</summary>
    public LoadLoop(int index, TimeProvider time)
    {
        Index = index;
        Loop = new EpollLoop(new LoopOptions { Name = $"load-{index}", Index = index, Time = time, Faults = new FaultCount(this) });
        Loop.Start();
    }

    /// <summary>Place among the loops.</summary>
    public int Index { get; }

    /// <summary>The loop.</summary>
    public EpollLoop Loop { get; }

    /// <summary>What it measures; made anew after priming, before the clients of the run take it.</summary>
    public LoopFigures Figures { get; set; } = new();

    /// <inheritdoc/>
    public void Dispose() => Loop.Dispose();

    /// <summary>A fault is a bug of ours: it shows in the report.</summary>
    private sealed class FaultCount(LoadLoop loop) : ILoopFaults
    {
        public void OnFault(Loop source, object origin, Exception exception) =>
            loop.Figures.AddReason($"fault in the load generator: {exception.GetType().Name}: {exception.Message}");
    }
}
