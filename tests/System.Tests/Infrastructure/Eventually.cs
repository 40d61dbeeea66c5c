using System.Diagnostics;

namespace Trunkline.SystemTests.Infrastructure;

/// <summary>Asks again until something is so: only for what nobody tells when it changes, a page or a file of /proc.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(45);

    public static Task TrueAsync(Func<bool> condition, Func<string> describe) =>
        TrueAsync(() => Task.FromResult(condition()), describe);

    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string> describe)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline, $"Not so within {Deadline.TotalSeconds} s: {describe()}");
            await Task.Delay(Pause);
        }
    }
}
