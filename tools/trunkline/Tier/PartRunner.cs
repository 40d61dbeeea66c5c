using Trunkline.Tool.Parts;
using Trunkline.Tool.Processes;
using Trunkline.Tool.Readiness;

namespace Trunkline.Tool.Tier;

/// <summary>Starts one part and waits until it serves; stops one part.</summary>
internal sealed class PartRunner(TimeProvider time)
{
    private const int TailLines = 20;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private readonly ProcessStopper _stopper = new(time);

    /// <summary>Starts the process; the part is not ready yet.</summary>
    public static Part Start(Part part) =>
        part with { Process = ProcessStarter.Start(part.Command, part.Folder, part.LogFile) };

    /// <summary>Returns when the part is ready; otherwise throws a sentence with the end of the part's log.</summary>
    public async Task WaitUntilReadyAsync(Part part, TimeSpan patience, CancellationToken cancellation)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            // Whoever answers on the port of a dead part is somebody else.
            if (!part.IsRunning)
            {
                throw new ToolException($"{part.Name} ended while it was starting. {Tail(part)}");
            }

            string? lack = await ReadinessProbe.AskAsync(part.Readiness.Kind, part.Readiness.Port, cancellation);
            if (lack is null && part.IsRunning)
            {
                return;
            }

            if (time.GetElapsedTime(start) > patience)
            {
                throw new ToolException($"{part.Name} was not ready within {patience.TotalSeconds} s ({lack}). {Tail(part)}");
            }

            await Task.Delay(Poll, time, cancellation);
        }
    }

    /// <summary>Stops the part if it runs; workers of a process that died before them too. Null grace kills at once.</summary>
    public async Task<Part> StopAsync(Part part, TimeSpan? grace)
    {
        if (part.Process is null)
        {
            return part;
        }

        if (grace is null)
        {
            await _stopper.KillAsync(part.Process);
        }
        else if (!await _stopper.StopAsync(part.Process, grace.Value))
        {
            await Console.Error.WriteLineAsync(
                $"trunkline: {part.Name} did not end within {grace.Value.TotalSeconds} s of SIGTERM and was killed.");
        }

        return part with { Process = null };
    }

    /// <summary>The end of what the part logged, as a sentence.</summary>
    public static string Tail(Part part)
    {
        if (!File.Exists(part.LogFile))
        {
            return "It said nothing.";
        }

        string[] lines = [.. File.ReadLines(part.LogFile).TakeLast(TailLines)];
        return $"The end of {part.LogFile}:\n{string.Join('\n', lines)}";
    }
}
