using Trunkline.Directory;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>
/// Claims that may stand in the directory for this node although it has no session for them: the answer was lost, or giving
/// one up failed. The checkpoint must not cover them, for nobody served them; they are given up as soon as the directory
/// answers. One per loop; its thread only.
/// </summary>
internal sealed class GhostClaims(SessionContext context, IDirectory directory, Predicate<string> isConnecting) : LoopTimer
{
    private const long RetryMs = 1_000;

    /// <summary>A claim that was late may still come after it was looked for, so it is looked for twice.</summary>
    private const int LooksNeeded = 2;

    private const int MostAtOnce = 256;
    private readonly Dictionary<string, int> _looks = new(StringComparer.Ordinal);

    /// <summary>The client identifiers concerned.</summary>
    public IEnumerable<string> ClientIds => _looks.Keys;

    /// <summary>A claim may be left behind.</summary>
    public void Add(string clientId)
    {
        _looks[clientId] = 0;
        if (!IsScheduled)
        {
            context.Loop.Timers.Schedule(this, RetryMs);
        }
    }

    /// <summary>It is known to be gone, or a session stands for it.</summary>
    public void Remove(string clientId) => _looks.Remove(clientId);

    /// <inheritdoc/>
    protected override void OnDue()
    {
        foreach (string clientId in _looks.Keys.Take(MostAtOnce).ToArray())
        {
            if (isConnecting(clientId))
            {
                continue;
            }

            directory.LookUpAsync(clientId).Then(
                (Ghosts: this, clientId),
                static (state, found) => state.Ghosts.Post(() => state.Ghosts.Found(state.clientId, found)));
        }

        if (_looks.Count > 0)
        {
            context.Loop.Timers.Schedule(this, RetryMs);
        }
    }

    private void Found(string clientId, DirectoryResult<Holding> found)
    {
        if (!found.IsOk || !_looks.TryGetValue(clientId, out int looks) || isConnecting(clientId))
        {
            return;
        }

        SessionToken token = found.Value.Token;
        bool isOurs = token.Node == directory.Self.Id && (context.Registry.Find(clientId)?.Claim as HeldClaim)?.Token != token;
        if (isOurs)
        {
            directory.ReleaseAsync(clientId, token).Then(0, static (_, _) => { });
        }
        else if (looks + 1 >= LooksNeeded)
        {
            _looks.Remove(clientId);
        }
        else
        {
            _looks[clientId] = looks + 1;
        }
    }

    private void Post(Action step) => context.Loop.Post(step);
}
