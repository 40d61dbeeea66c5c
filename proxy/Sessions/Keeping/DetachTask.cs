using Trunkline.Directory;
using Trunkline.Sessions;

namespace Trunkline.Proxy;

/// <summary>A session whose connection is gone, on its way into the directory. Its loop only.</summary>
internal sealed class DetachTask(Session session, HeldClaim claim, uint? willWaitSeconds)
{
    /// <summary>The session; held by the registry until it is written, when it outlives its connection.</summary>
    public Session Session { get; } = session;

    public string ClientId => Session.ClientId;

    /// <summary>The token it is written under: that of the newest claim of this node.</summary>
    public SessionToken Token { get; set; } = claim.Token;

    /// <summary>Whether the session outlives its connection.</summary>
    public bool IsPersistent { get; } = session.ExpirySeconds > 0;

    /// <summary>Whether it did when it connected: DISCONNECT may have changed that.</summary>
    public bool WasPersistent { get; } = claim.IsPersistent;

    /// <summary>Set when the device was sent away to another node: how long its will waits at least for the device to be back.</summary>
    public uint? WillWaitSeconds { get; } = session.HasWill ? willWaitSeconds : null;

    /// <summary>Seconds until the will is due; null without one.</summary>
    public uint? WillDueSeconds => Session.Will is { } will
        ? uint.Max(uint.Min(will.DelaySeconds, Session.ExpirySeconds), WillWaitSeconds ?? 0)
        : null;

    public bool IsUnderWay { get; set; }

    /// <summary>Told once: whether the directory has it.</summary>
    public List<Action<bool>> Done { get; } = [];

    /// <summary>Whether the session has a will that is due the moment the connection is gone.</summary>
    public bool HasWillDue => WillDueSeconds == 0;
}
