using Trunkline.Directory;
using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <content>Another node wants a client identifier, or has it.</content>
internal sealed partial class ConnectionGate
{
    /// <summary>
    /// Another node asks for an identifier held here: the device is told 0x8E, its session is written, then the other is
    /// answered. One that has claimed it already is answered when the session is gone here.
    /// </summary>
    /// <param name="clientId">The identifier.</param>
    /// <param name="oldToken">The claim that is asked for.</param>
    /// <param name="newToken">The claim that replaced it; epoch 0 when it was not replaced yet.</param>
    /// <param name="confirm">Called when the other may go on; not called when the session could not be written.</param>
    public void LetGo(string clientId, SessionToken oldToken, SessionToken newToken, Action confirm)
    {
        if (_attempts.TryGetValue(clientId, out ConnectAttempt? attempt))
        {
            if (newToken.Epoch > attempt.LostTo.Epoch)
            {
                attempt.LostTo = newToken;
            }

            // The claim of a CONNECT that is still on its way may be the one that is asked for: nothing was served under it,
            // and nothing will be.
            attempt.NoteAskedFor(oldToken);
        }

        if (_context.Registry.Find(clientId) is { Claim: HeldClaim claim } session
            && (claim.Token == oldToken || claim.Token.Epoch < newToken.Epoch))
        {
            GiveAway(session, isReplaced: newToken.Epoch > claim.Token.Epoch, confirm);
        }
        else
        {
            Keeper.WhenDetached(clientId, confirm, static (confirm, isStored) => Confirm(isStored, confirm));
        }
    }

    private static void Confirm(bool isStored, Action confirm)
    {
        if (isStored)
        {
            confirm();
        }
    }

    /// <summary>The session of an older connection stands under a claim that another node wants or has replaced.</summary>
    private void GiveAway(ConnectAttempt attempt)
    {
        if (_context.Registry.Find(attempt.ClientId) is { } session)
        {
            GiveAway(session, isReplaced: attempt.LostTo.Epoch > attempt.Claim!.Token.Epoch, static () => { });
        }
    }

    private void GiveAway(Session session, bool isReplaced, Action confirm)
    {
        Keeper.Counters.Add(KeeperCounter.GivenAway);
        if (isReplaced)
        {
            // The claim is another node's: there is nothing to write.
            session.Claim = null;
        }

        if (session.Channel is { } channel)
        {
            channel.TakeOver();
        }
        else if (isReplaced)
        {
            _context.Registry.Forget(session);
        }

        Keeper.WhenDetached(session.ClientId, confirm, static (confirm, isStored) => Confirm(isStored, confirm));
    }

    private void Release(Session session)
    {
        if (session.Claim is HeldClaim claim && !IsLeaving)
        {
            // Not awaited: a release that fails leaves a claim behind which the next CONNECT takes over; the directory ends
            // each call within its deadline, counts it and logs it.
            _directory.ReleaseAsync(session.ClientId, claim.Token).Then(0, static (_, _) => { });
        }
    }
}
