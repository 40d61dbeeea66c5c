namespace Trunkline.Proxy;

/// <summary>What the keeper of one loop counts; written on its loop, read by metrics from any thread.</summary>
internal sealed class KeeperCounters
{
    private readonly long[] _values = new long[Enum.GetValues<KeeperCounter>().Length];

    public void Add(KeeperCounter counter, long amount = 1) => Interlocked.Add(ref _values[(int)counter], amount);

    public long Read(KeeperCounter counter) => Interlocked.Read(ref _values[(int)counter]);
}

/// <summary>The names are label values of the metric.</summary>
internal enum KeeperCounter
{
    /// <summary>Changes of connected sessions written: filters, QoS 2 exchanges.</summary>
    ChangesWritten,

    /// <summary>Writes that found another holder: the session was closed here, nothing was changed.</summary>
    Fenced,

    /// <summary>Writes that failed and were repeated.</summary>
    WritesRepeated,

    /// <summary>Writes and claims granted before this process was held for a while: asked for again before anything left by them.</summary>
    WritesDistrusted,

    /// <summary>Connections whose output waited for a look into the directory, because it could not leave within half of TakeOverDeadlineMs after the one before.</summary>
    SendsWithheld,

    /// <summary>Connections whose unsent QoS 2 packets were dropped, because another node may have the session or the connection ended: they are sent where the session goes on.</summary>
    SendsWithdrawn,

    /// <summary>Sessions whose connection ended and whose state was written.</summary>
    Detached,

    /// <summary>Sessions that this node let go of because another asked for them.</summary>
    GivenAway,

    /// <summary>Take-overs in which the other node did not answer: its checkpoint was used.</summary>
    TakenUnanswered,

    /// <summary>Fields of stored sessions that could not be read and were set aside.</summary>
    FieldsSetAside,

    /// <summary>Stored sessions that could not be read whole: their devices got a new session.</summary>
    SessionsUnreadable,

    /// <summary>CONNECTs refused because a newer version wrote the stored session, which is left alone.</summary>
    SessionsNewer,

    /// <summary>CONNECTs served with a clean session of this node alone, because the directory was away.</summary>
    ServedClean,

    /// <summary>CONNECTs that waited because the directory's generation was new.</summary>
    WaitedForRecovery,

    /// <summary>Checkpoints written.</summary>
    Checkpoints,

    /// <summary>Checkpoints not written, because more sessions were behind than are listed apart (1,000): the one before stays.</summary>
    CheckpointsHeldBack,

    /// <summary>Checkpoints that could not be written.</summary>
    CheckpointsFailed,

    /// <summary>CONNECTs refused because more came than may in a second.</summary>
    RefusedByRate,

    /// <summary>CONNECTs refused because too many claims were under way.</summary>
    RefusedByClaims,

    /// <summary>CONNECTs refused because another node was quicker with each of Admission:MaximumClaimTries claims.</summary>
    RefusedByTries,

    /// <summary>Delayed wills not kept in mind, because Node:MaximumDueInMind were: they come with a look.</summary>
    DueNotInMind,

    /// <summary>Wills of a newer version forgotten, because Node:MaximumNewerWills were remembered: they are looked at again.</summary>
    NewerForgotten,

    /// <summary>Devices that this node, stopping, sent away before their turn by Drain:DevicesPerSecond, to keep to Drain:MaximumMs.</summary>
    SentAwayEarly,

    /// <summary>Wills of devices that this node, stopping, sent away: they wait in the directory, and go when the device is back in time.</summary>
    WillsWaiting,
}
