namespace Trunkline.Directory;

/// <summary>Directory calls for callers without async, such as loops.</summary>
public static class DirectoryCalls
{
    /// <summary>
    /// Runs <paramref name="onDone"/> when the call is done: before this method returns if it already is, else on
    /// another thread. <paramref name="onDone"/> posts to its loop and never throws.
    /// </summary>
    public static void Then<T, TState>(this ValueTask<T> call, TState state, Action<TState, T> onDone)
    {
        ArgumentNullException.ThrowIfNull(onDone);
        if (call.IsCompletedSuccessfully)
        {
            onDone(state, call.GetAwaiter().GetResult());
            return;
        }

        _ = AwaitAsync(call, state, onDone);
    }

    // Not tracked: the directory ends each call within its deadline, also when it is disposed.
    private static async Task AwaitAsync<T, TState>(ValueTask<T> call, TState state, Action<TState, T> onDone) =>
        onDone(state, await call);
}
