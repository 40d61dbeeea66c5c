namespace Trunkline.Directory;

/// <summary>
/// Another node claimed a client id held here. Stop delivering, close the old connection with 0x8E if its token is
/// <see cref="OldToken"/> (or older than <see cref="NewToken"/>), then call <see cref="Confirm"/>, from any thread.
/// </summary>
public sealed class TakeOverRequest
{
    private Action? _confirm;

    internal TakeOverRequest(NodeId from, string clientId, SessionToken oldToken, SessionToken newToken, Action confirm)
    {
        From = from;
        ClientId = clientId;
        OldToken = oldToken;
        NewToken = newToken;
        _confirm = confirm;
    }

    /// <summary>The node that claimed.</summary>
    public NodeId From { get; }

    /// <summary>The client id.</summary>
    public string ClientId { get; }

    /// <summary>The token that was replaced.</summary>
    public SessionToken OldToken { get; }

    /// <summary>The token that holds now.</summary>
    public SessionToken NewToken { get; }

    /// <summary>Tells the other node that this one let go. Any thread; only the first call counts; never blocks.</summary>
    public void Confirm() => Interlocked.Exchange(ref _confirm, null)?.Invoke();
}
