using System.Threading.Channels;
using Trunkline.Topics;

namespace Trunkline.Directory.Tests;

/// <summary>Keeps what a directory told, to be awaited; confirms take-overs unless told otherwise.</summary>
public sealed class RecordingEvents : IDirectoryEvents
{
    private readonly Channel<object> _told = Channel.CreateUnbounded<object>();

    public bool Confirms { get; set; } = true;

    public Action<TakeOverRequest>? OnTakeOver { get; set; }

    public void StateChanged(DirectoryHealth health) => _told.Writer.TryWrite(health);

    public void NodeAppeared(NodeInfo node) => _told.Writer.TryWrite(new Appeared(node));

    public void NodeGone(NodeInfo node, NodeGoneReason reason) => _told.Writer.TryWrite(new Gone(node, reason));

    public void DeclaredDead(string reason) => _told.Writer.TryWrite(new SelfDead(reason));

    public void TakeOverRequested(TakeOverRequest request)
    {
        _told.Writer.TryWrite(request);
        OnTakeOver?.Invoke(request);
        if (Confirms)
        {
            request.Confirm();
        }
    }

    public void HeldInDoubt(HeldDoubt doubt) => _told.Writer.TryWrite(doubt);

    public void SlotMapChanged(SlotMap map) => _told.Writer.TryWrite(map);

    /// <summary>The next event of the type that fits; earlier others are dropped.</summary>
    public async Task<T> NextAsync<T>(Func<T, bool>? fits = null, int seconds = 60)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        while (true)
        {
            object told;
            try
            {
                told = await _told.Reader.ReadAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"no {typeof(T).Name} within {seconds} s");
            }

            if (told is T wanted && (fits is null || fits(wanted)))
            {
                return wanted;
            }
        }
    }

    /// <summary>Whether an event of the type is waiting; drops all that wait.</summary>
    public bool Drain<T>()
    {
        bool found = false;
        while (_told.Reader.TryRead(out object? told))
        {
            found |= told is T;
        }

        return found;
    }

    public sealed record Appeared(NodeInfo Node);

    public sealed record Gone(NodeInfo Node, NodeGoneReason Reason);

    public sealed record SelfDead(string Reason);
}
