using System.Collections.Concurrent;

namespace Trunkline.Directory;

/// <summary>
/// Take-over between nodes: asks the previous holder to let go and waits, answers for this node. A message may be lost
/// with a connection, so the question is sent twice; the asked node tells repeats apart. Thread-safe.
/// </summary>
internal sealed class TakeOvers(NodeId self, DirectoryOptions options, DirectoryEnvironment environment, IDirectoryStore store, DirectoryMeters meters)
{
    // A connection that is being made anew stands again by then, most times; a process that was killed does not.
    private static readonly TimeSpan UnheardPause = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentDictionary<long, TaskCompletionSource> _asked = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<(NodeId From, long Number), bool> _seen = [];
    private readonly Queue<(NodeId From, long Number)> _order = [];
    private long _number;

    internal async ValueTask<TakeOverAnswer> AskAsync(string clientId, SessionToken oldToken, SessionToken newToken, bool isAlive, CancellationToken cancellation)
    {
        long number = Interlocked.Increment(ref _number);
        string message = NodeMessage.TakeOver(number, self, clientId, oldToken, newToken);
        if (!isAlive || _asked.Count >= options.MaxTakeOvers)
        {
            // A node that is gone is not waited for, but told all the same, should our view be old.
            await store.SendAsync(oldToken.Node, message, cancellation);
            meters.TookOver(isAlive ? "busy" : "gone");
            return TakeOverAnswer.NoAnswer;
        }

        var answered = new TaskCompletionSource(environment.Completions);
        _asked[number] = answered;
        TimeSpan half = TimeSpan.FromMilliseconds(options.TakeOverDeadlineMs / 2.0);
        bool isUnheard = false;
        for (int attempt = 0; attempt < 2 && !answered.Task.IsCompleted && !cancellation.IsCancellationRequested; attempt++)
        {
            if (isUnheard)
            {
                await UntilAsync(answered.Task, UnheardPause, cancellation);
            }

            isUnheard = await IsUnheardAsync(store.SendAsync(oldToken.Node, message, cancellation).AsTask(), answered.Task, half, cancellation);
        }

        _asked.TryRemove(number, out _);
        bool confirmed = answered.Task.IsCompleted;
        meters.TookOver(confirmed ? "confirmed" : isUnheard ? "unheard" : "no_answer");
        return confirmed ? TakeOverAnswer.Confirmed : TakeOverAnswer.NoAnswer;
    }

    /// <summary>Waits for the answer; true, and at once, when the store says that nobody listened, as after the node was killed.</summary>
    private async ValueTask<bool> IsUnheardAsync(Task<DirectoryResult<Reach>> sent, Task answered, TimeSpan wait, CancellationToken cancellation)
    {
        // A publish that hangs must not use up the time of the answer. It ends within its own deadline.
        var unheard = new TaskCompletionSource(environment.Completions);
        _ = NoteAsync(sent, unheard);
        await UntilAsync(Task.WhenAny(answered, unheard.Task), wait, cancellation);
        return unheard.Task.IsCompleted && !answered.IsCompleted;
    }

    private static async Task NoteAsync(Task<DirectoryResult<Reach>> sent, TaskCompletionSource unheard)
    {
        await ((Task)sent).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (sent.IsCompletedSuccessfully && await sent is { IsOk: true, Value: Reach.Nobody })
        {
            unheard.TrySetResult();
        }
    }

    private async ValueTask UntilAsync(Task task, TimeSpan wait, CancellationToken cancellation) =>
        await task.WaitAsync(wait, environment.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Takes an answer in.</summary>
    internal void Answered(long number)
    {
        if (_asked.TryGetValue(number, out TaskCompletionSource? answered))
        {
            answered.TrySetResult();
        }
    }

    /// <summary>A question of another node: the request to hand to this node's owner, or null for a repeat.</summary>
    internal TakeOverRequest? Asked(NodeId from, long number, string clientId, SessionToken oldToken, SessionToken newToken)
    {
        lock (_gate)
        {
            if (_seen.TryGetValue((from, number), out bool confirmed))
            {
                if (confirmed)
                {
                    Confirm(from, number);
                }

                return null;
            }

            _seen[(from, number)] = false;
            _order.Enqueue((from, number));
            while (_order.Count > options.MaxTakeOvers)
            {
                _seen.Remove(_order.Dequeue());
            }
        }

        meters.TookOver("asked");
        return new TakeOverRequest(from, clientId, oldToken, newToken, () =>
        {
            lock (_gate)
            {
                if (_seen.ContainsKey((from, number)))
                {
                    _seen[(from, number)] = true;
                }
            }

            Confirm(from, number);
        });
    }

    // Not awaited: the send ends within its deadline, and a lost answer is asked for again.
    private void Confirm(NodeId to, long number) => _ = store.SendAsync(to, NodeMessage.Answer(number), CancellationToken.None).AsTask();
}
