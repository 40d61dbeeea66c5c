using Trunkline.Directory;
using Trunkline.Sessions;
using Trunkline.Transports;

namespace Trunkline.Proxy;

/// <summary>
/// Claims that may stand in the directory for this node although it has no session for them: the answer was lost, or giving
/// one up failed. The checkpoint must not cover them, for nobody served them. As soon as the directory answers they are
/// given up; one that did not take effect by then is declared void, for it may still be on its way. One per loop; its
/// thread only.
/// </summary>
internal sealed class GhostClaims(SessionContext context, IDirectory directory, Predicate<string> isConnecting) : LoopTimer
{
    private const long RetryMs = 1_000;

    /// <summary>Asked for with one tick: the pace of giving up, no limit of how many there are. The others come with the next ticks.</summary>
    private const int MostAtOnce = 256;

    // Whether the outcome of a claim is unknown, so that it may still take effect.
    private readonly Dictionary<string, bool> _ghosts = new(StringComparer.Ordinal);

    /// <summary>The client identifiers concerned.</summary>
    public IReadOnlyCollection<string> ClientIds => _ghosts.Keys;

    /// <summary>Whether one is concerned.</summary>
    public bool Contains(string clientId) => _ghosts.ContainsKey(clientId);

    /// <summary>A claim is to be left behind.</summary>
    /// <param name="clientId">The client identifier.</param>
    /// <param name="isUnknown">Whether it has no answer.</param>
    public void Add(string clientId, bool isUnknown)
    {
        _ghosts[clientId] = isUnknown || _ghosts.GetValueOrDefault(clientId);
        if (!IsScheduled)
        {
            context.Loop.Timers.Schedule(this, RetryMs);
        }
    }

    /// <summary>A claim is gone, or a session stands for it. One whose outcome is unknown stays: it may come after this one.</summary>
    public void Remove(string clientId)
    {
        if (_ghosts.TryGetValue(clientId, out bool isUnknown) && !isUnknown)
        {
            _ghosts.Remove(clientId);
        }
    }

    /// <inheritdoc/>
    protected override void OnDue()
    {
        foreach (string clientId in _ghosts.Keys.Take(MostAtOnce).ToArray())
        {
            if (isConnecting(clientId))
            {
                continue;
            }

            directory.VoidClaimsAsync(clientId).Then(
                (Ghosts: this, clientId),
                static (state, found) => state.Ghosts.Post(() => state.Ghosts.Found(state.clientId, found)));
        }

        if (_ghosts.Count > 0)
        {
            context.Loop.Timers.Schedule(this, RetryMs);
        }
    }

    private void Found(string clientId, DirectoryResult<Holding> found)
    {
        if (!found.IsOk || !_ghosts.ContainsKey(clientId) || isConnecting(clientId))
        {
            return;
        }

        SessionToken token = found.Value.Token;
        bool isOurs = token.Node == directory.Self.Id && (context.Registry.Find(clientId)?.Claim as HeldClaim)?.Token != token;
        if (isOurs)
        {
            directory.ReleaseAsync(clientId, token).Then(0, static (_, _) => { });
        }
        else
        {
            _ghosts.Remove(clientId);
        }
    }

    private void Post(Action step) => context.Loop.Post(step);
}
