namespace Trunkline.Tool.Processes;

/// <summary>Ends what <see cref="ProcessStarter"/> started, and nothing else.</summary>
internal sealed class ProcessStopper(TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(10);

    /// <summary>Asks, waits for <paramref name="grace"/>, then kills the process and its workers. True when asking was enough.</summary>
    public async Task<bool> StopAsync(ProcessIdentity process, TimeSpan grace)
    {
        if (process.IsRunning)
        {
            Signals.AskToEnd(process.Pid);
        }

        if (await WaitUntilGoneAsync(process, grace))
        {
            return true;
        }

        await KillAsync(process);
        return false;
    }

    /// <summary>Kills the process and its workers at once.</summary>
    public async Task KillAsync(ProcessIdentity process)
    {
        foreach (int pid in process.RunningMembers())
        {
            Signals.KillProcess(pid);
        }

        if (!await WaitUntilGoneAsync(process, KillPatience))
        {
            throw new ToolException($"Process {process.Pid} was killed and is still there.");
        }
    }

    private async Task<bool> WaitUntilGoneAsync(ProcessIdentity process, TimeSpan patience)
    {
        long start = time.GetTimestamp();
        while (process.IsRunning || process.RunningMembers().Count > 0)
        {
            if (time.GetElapsedTime(start) > patience)
            {
                return false;
            }

            await Task.Delay(Poll, time);
        }

        return true;
    }
}
