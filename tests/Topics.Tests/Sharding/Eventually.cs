using System.Diagnostics;

namespace Trunkline.Topics.Tests;

/// <summary>
/// Waits for what no event tells (another process): asks again and again until it holds, with a deadline that fails the
/// test. The one helper of these tests that lets time pass.
/// </summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Returns when the condition holds.</summary>
    public static async Task HoldsAsync(Func<Task<bool>> holds, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, $"Within {Patience.TotalSeconds} s this did not come true: {what}");
            await Task.Delay(20);
        }
    }

    /// <summary>Lets a fault last: the one kind of pause that is a condition of its own.</summary>
    public static Task LastsAsync(int milliseconds, CancellationToken cancellation = default) => Task.Delay(milliseconds, cancellation);
}
