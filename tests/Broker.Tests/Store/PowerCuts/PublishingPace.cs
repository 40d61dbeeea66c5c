namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>How many messages a publisher may have sent to a process; whoever has sent them waits for more.</summary>
internal sealed class PublishingPace
{
    private TaskCompletionSource _more = NewSource();
    private volatile int _allowed;

    /// <summary>How many.</summary>
    public int Allowed => _allowed;

    /// <summary>Lets each go on up to so many.</summary>
    public void Allow(int messages)
    {
        _allowed = messages;
        Interlocked.Exchange(ref _more, NewSource()).TrySetResult();
    }

    /// <summary>Completes when more than so many may be sent.</summary>
    public async Task MoreThanAsync(int sent)
    {
        while (true)
        {
            Task more = Volatile.Read(ref _more).Task;
            if (_allowed > sent)
            {
                return;
            }

            await more;
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
