namespace Trunkline.Testing;

/// <summary>What code allocates on the thread that runs it.</summary>
internal static class Allocations
{
    private const int Attempts = 6;

    /// <summary>
    /// Bytes of the quietest of several runs. What the code allocates is there in every run; now and then more is counted:
    /// what the runtime allocates on this thread when it compiles, and the unused rest of the thread's allocation buffer (up
    /// to 8 KiB), when a test on another thread brings about a collection.
    /// </summary>
    public static long Least(Action run)
    {
        long least = long.MaxValue;
        for (int i = 0; i < Attempts; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            run();
            least = long.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
