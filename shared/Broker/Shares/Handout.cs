namespace Trunkline.Broker;

/// <summary>One message of a share that is not done.</summary>
internal struct Handout
{
    /// <summary>See <see cref="Owner"/>.</summary>
    public const ulong Finished = ulong.MaxValue;

    /// <summary>Who has it; null for nobody known: to be handed out again, or handed out by an earlier run of the broker.</summary>
    public ShareMember? Holder;

    /// <summary>The link of that node on which it was handed out, or claimed again.</summary>
    public ReceiveLink? Link;

    /// <summary>
    /// QoS 2: the session it belongs to for good; 0 for none. Then it is never handed out again. <see cref="Finished"/>: it
    /// is done, but lies behind the position, which an earlier run of the broker had brought further; it goes when the
    /// position has come there.
    /// </summary>
    public ulong Owner;

    /// <summary>Whether the log knows of it.</summary>
    public bool IsRecorded;
}
