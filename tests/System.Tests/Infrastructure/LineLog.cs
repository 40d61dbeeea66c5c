namespace Trunkline.SystemTests.Infrastructure;

/// <summary>Lines as they come, from any thread, and waiting for some of them.</summary>
internal sealed class LineLog
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Add(string? line)
    {
        if (line is null)
        {
            return;
        }

        TaskCompletionSource changed;
        lock (_lock)
        {
            _lines.Add(line);
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    public IReadOnlyList<string> Snapshot()
    {
        lock (_lock)
        {
            return [.. _lines];
        }
    }

    public async Task<string> AwaitAsync(Func<string, bool> predicate, TimeSpan deadline, Func<string> describe) =>
        (await AwaitManyAsync(1, predicate, deadline, describe))[0];

    public async Task<IReadOnlyList<string>> AwaitManyAsync(
        int count, Func<string, bool> predicate, TimeSpan deadline, Func<string> describe)
    {
        using CancellationTokenSource cancellation = new(deadline);
        while (true)
        {
            Task changed;
            List<string> found;
            lock (_lock)
            {
                changed = _changed.Task;
                found = [.. _lines.Where(predicate).Take(count)];
            }

            if (found.Count == count)
            {
                return found;
            }

            try
            {
                await changed.WaitAsync(cancellation.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail(
                    $"{describe()}: {found.Count} of {count} awaited lines came within {deadline.TotalSeconds} s. It said:\n"
                    + string.Join('\n', Snapshot()));
            }
        }
    }
}
