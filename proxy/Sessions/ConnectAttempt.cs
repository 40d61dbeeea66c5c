using Trunkline.Directory;
using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <summary>A CONNECT on its way through the directory. The gate's loop only, but for <see cref="OnLoop"/>.</summary>
internal sealed class ConnectAttempt(ConnectionGate gate, ConnectRequest request, Channel channel, long attachNumber)
{
    /// <summary>An attempt that holds no checkpoint back: nothing was claimed for it yet.</summary>
    public const long NotCounted = long.MaxValue;

    public ConnectionGate Gate { get; } = gate;

    public ConnectRequest Request { get; } = request;

    public Channel Channel { get; } = channel;

    public string ClientId => Request.ClientId;

    /// <summary>Its number among the node's attachments; <see cref="NotCounted"/> while it waits before anything is claimed for it.</summary>
    public long AttachNumber { get; set; } = attachNumber;

    /// <summary>Claims tried so far: each found another holder than the one expected.</summary>
    public int Tries { get; set; }

    /// <summary>The session this node has of the identifier, whose writes wait for the claim; null when it has none.</summary>
    public Session? Local { get; set; }

    /// <summary>When the directory was asked last, as <see cref="HoldWatch.Begin"/> gave it.</summary>
    public long Asked { get; set; }

    /// <summary>The claim, once granted.</summary>
    public HeldClaim? Claim { get; set; }

    /// <summary>The stored session as the claim found it.</summary>
    public StoredSession? Record { get; set; }

    /// <summary>The positions of a checkpoint that serves in place of a holder that did not answer; null when none was needed.</summary>
    public IReadOnlyList<LogPosition>? Checkpoint { get; set; }

    /// <summary>Whether the holder, which gave no last word, sends its devices away: the will of the connection before is dropped, as in a drain.</summary>
    public bool IsSentAway { get; set; }

    /// <summary>Whether the holder did not answer.</summary>
    public bool IsUnanswered { get; set; }

    /// <summary>The directory's generation in which the session was found, so that its grace need not be waited for any more; or null.</summary>
    public string? FoundIn { get; set; }

    /// <summary>Whether the directory lost the session this node has: the claim writes all of it.</summary>
    public bool BringsWhole { get; set; }

    /// <summary>The holder that said it let go.</summary>
    public SessionToken ConfirmedBy { get; set; }

    /// <summary>Claims of this node that another one asked for while this attempt was under way: one of them may be its own.</summary>
    public List<SessionToken>? AskedFor { get; private set; }

    /// <summary>The newest claim of another node that was heard of meanwhile.</summary>
    public SessionToken LostTo { get; set; }

    /// <summary>Whether another node has claimed the identifier after this attempt did, or asks for it.</summary>
    public bool IsLost => Claim is not null
        && (LostTo.Epoch > Claim.Token.Epoch || AskedFor?.Contains(Claim.Token) == true);

    /// <summary>A later CONNECT with the same identifier, which waits until this one is decided.</summary>
    public ConnectAttempt? Next { get; set; }

    /// <summary>Another node asks for a claim of this one.</summary>
    public void NoteAskedFor(SessionToken token) => (AskedFor ??= []).Add(token);

    /// <summary>
    /// Takes a step on the gate's loop: at once when this is there, and then nothing is made for it. A step that throws is
    /// reported there and ends the attempt: who waits for the directory's answer has nobody to tell.
    /// </summary>
    public void OnLoop<TState>(TState state, Action<ConnectAttempt, TState> step)
    {
        if (Gate.Loop.IsCurrent)
        {
            Take(state, step);
        }
        else
        {
            Post(state, step);
        }
    }

    public void OnLoop(Action step) => OnLoop(step, static (_, step) => step());

    private void Take<TState>(TState state, Action<ConnectAttempt, TState> step)
    {
        try
        {
            step(this, state);
        }
        catch (Exception exception)
        {
            Gate.Loop.ReportFault(this, exception);
            Gate.Abandon(this);
        }
    }

    private void Post<TState>(TState state, Action<ConnectAttempt, TState> step) => Gate.Loop.Post(() => Take(state, step));
}

/// <summary>The claim a session holds in the directory.</summary>
/// <param name="Token">Who may write the session.</param>
/// <param name="AttachNumber">The node's count of attachments.</param>
/// <param name="IsPersistent">Whether it was claimed as a session that outlives its connection.</param>
internal sealed record HeldClaim(SessionToken Token, long AttachNumber, bool IsPersistent);

/// <summary>In place of a claim: a clean session of this node alone, of which no directory knows.</summary>
internal sealed class ServedClean
{
    private ServedClean()
    {
    }

    /// <summary>The only one.</summary>
    public static ServedClean Instance { get; } = new();
}

/// <summary>In place of a claim while a new connection of this node takes a session over from an older one.</summary>
internal sealed class TakenOverHere
{
    private TakenOverHere()
    {
    }

    /// <summary>The only one.</summary>
    public static TakenOverHere Instance { get; } = new();
}
