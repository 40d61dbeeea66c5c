using System.Diagnostics;

namespace Trunkline.Testing;

/// <summary>
/// Waits for what no event tells (another process, the other side of a socket): asks again and again until it holds, with
/// a deadline that fails the test. The one place of all tests that lets time pass; every test project compiles it in.
/// </summary>
internal static class Eventually
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    /// <summary>The deadline where nothing else is said: generous, for machines that do much else.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Returns when the condition holds.</summary>
    public static Task HoldsAsync(Func<bool> condition, string what, TimeSpan? deadline = null) =>
        HoldsAsync(condition, () => what, deadline);

    /// <summary>Returns when the condition holds.</summary>
    public static Task HoldsAsync(Func<Task<bool>> condition, string what, TimeSpan? deadline = null) =>
        HoldsAsync(condition, () => what, deadline);

    /// <summary>Returns when the condition holds; <paramref name="describe"/> says what the test saw last.</summary>
    public static Task HoldsAsync(Func<bool> condition, Func<string> describe, TimeSpan? deadline = null) =>
        HoldsAsync(() => Task.FromResult(condition()), describe, deadline);

    /// <summary>Returns when the condition holds; <paramref name="describe"/> says what the test saw last.</summary>
    public static async Task HoldsAsync(Func<Task<bool>> condition, Func<string> describe, TimeSpan? deadline = null)
    {
        TimeSpan patience = deadline ?? Patience;
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start) > patience)
            {
                Assert.Fail($"Within {patience.TotalSeconds} s this did not come true: {describe()}");
            }

            await Task.Delay(Poll);
        }
    }

    /// <summary>Lets a fault last: the one kind of pause that is a condition of its own.</summary>
    public static Task LastsAsync(TimeSpan time, CancellationToken cancellation = default) => Task.Delay(time, cancellation);

    /// <summary>Fails the test with a sentence when the task does not end in time.</summary>
    public static async Task<T> InTimeAsync<T>(Task<T> task, string what, TimeSpan? deadline = null)
    {
        await InTimeAsync((Task)task, what, deadline);
        return await task;
    }

    /// <summary>Fails the test with a sentence when the task does not end in time.</summary>
    public static async Task InTimeAsync(Task task, string what, TimeSpan? deadline = null)
    {
        TimeSpan patience = deadline ?? Patience;
        try
        {
            await task.WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Within {patience.TotalSeconds} s this did not come: {what}");
        }
    }
}
