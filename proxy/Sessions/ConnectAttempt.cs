using Trunkline.Directory;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>A CONNECT on its way through the directory. The gate's loop only, but for <see cref="OnLoop"/>.</summary>
internal sealed class ConnectAttempt(ConnectionGate gate, ConnectRequest request, Channel channel, long attachNumber)
{
    public ConnectionGate Gate { get; } = gate;

    public ConnectRequest Request { get; } = request;

    public Channel Channel { get; } = channel;

    public long AttachNumber { get; } = attachNumber;

    /// <summary>The claim, once granted.</summary>
    public HeldClaim? Claim { get; set; }

    /// <summary>The newest claim of another node that was heard of meanwhile.</summary>
    public SessionToken LostTo { get; set; }

    /// <summary>Whether another node claimed the identifier after this attempt did.</summary>
    public bool IsLost => Claim is not null && LostTo.Epoch > Claim.Token.Epoch;

    /// <summary>A later CONNECT with the same identifier, which waits until this one is decided.</summary>
    public ConnectAttempt? Next { get; set; }

    public void OnLoop(Action step)
    {
        Loop loop = Gate.Loop;
        if (loop.IsCurrent)
        {
            step();
        }
        else
        {
            loop.Post(step);
        }
    }
}

/// <summary>The claim a session holds in the directory.</summary>
/// <param name="Token">Who may write the session.</param>
/// <param name="AttachNumber">The node's count of attachments.</param>
internal sealed record HeldClaim(SessionToken Token, long AttachNumber);
