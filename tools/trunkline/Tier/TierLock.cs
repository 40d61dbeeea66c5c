namespace Trunkline.Tool.Tier;

/// <summary>Two commands on one tier take turns: the second waits for the first.</summary>
internal static class TierLock
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    /// <summary>Holds the folder until the result is disposed; the kernel lets go when the process dies.</summary>
    public static async Task<IDisposable> TakeAsync(string folder, TimeProvider time, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, "tier.lock");
        long start = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (time.GetElapsedTime(start) < Patience)
            {
                await Task.Delay(Poll, time, cancellation);
            }
            catch (IOException)
            {
                throw new ToolException($"Another command has held the tier in {folder} for {Patience.TotalSeconds} s.");
            }
        }
    }
}
