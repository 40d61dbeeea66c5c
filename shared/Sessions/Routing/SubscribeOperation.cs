using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>
/// One SUBSCRIBE or UNSUBSCRIBE on its way. A session has one under way at a time; later ones wait in it, so that the
/// router sees them in order.
/// </summary>
public sealed class SubscribeOperation
{
    private bool _completed;
    private bool _isAnswered;
    private Action? _then;

    internal SubscribeOperation(Session session, int attachment, ushort packetId, bool isUnsubscribe, SubscribeItem[] items)
    {
        Session = session;
        Attachment = attachment;
        PacketId = packetId;
        IsUnsubscribe = isUnsubscribe;
        Items = items;
    }

    /// <summary>The filters of a restored session, made live again: no packet asked, no answer is sent.</summary>
    internal SubscribeOperation(Session session, SubscribeItem[] items)
        : this(session, session.Attachment, 0, false, items) => IsRestore = true;

    /// <summary>The session that asked.</summary>
    public Session Session { get; }

    /// <summary>The packet identifier of the SUBSCRIBE or UNSUBSCRIBE.</summary>
    public ushort PacketId { get; }

    /// <summary>Whether it ends subscriptions.</summary>
    public bool IsUnsubscribe { get; }

    /// <summary>
    /// Whether it brings back filters that were granted before: a group that does not answer in time is waited for, none of
    /// them is refused.
    /// </summary>
    public bool IsRestore { get; }

    /// <summary>One item per filter, in the order of the packet.</summary>
    public IReadOnlyList<SubscribeItem> Items { get; }

    /// <summary>Free for the router's book-keeping while the operation is under way.</summary>
    public object? RouterState { get; set; }

    /// <summary>User properties for the answer, encoded; null for none. A broker tells its links positions this way.</summary>
    public byte[]? AnswerProperties { get; set; }

    internal int Attachment { get; }

    internal SubscribeOperation? NextWaiting { get; set; }

    internal bool IsStarted { get; set; }

    /// <summary>Every item has its result: the session answers its device. On the session's loop, once.</summary>
    public void Complete()
    {
        if (_completed)
        {
            throw new InvalidOperationException("A subscribe operation was completed twice.");
        }

        _completed = true;
        Session.CompleteOperation(this);
    }

    /// <summary>
    /// Runs once the device has its answer: within this call when it has it already, else when the session's record says
    /// what is answered. Never when the session is let go of before.
    /// </summary>
    public void WhenAnswered(Action then)
    {
        ArgumentNullException.ThrowIfNull(then);
        if (_isAnswered)
        {
            then();
        }
        else
        {
            _then = then;
        }
    }

    internal void Answered()
    {
        _isAnswered = true;
        _then?.Invoke();
        _then = null;
    }
}

/// <summary>One filter of a <see cref="SubscribeOperation"/>.</summary>
public sealed class SubscribeItem
{
    internal SubscribeItem(SessionSubscription? subscription, ReasonCode reason)
    {
        Subscription = subscription;
        Reason = reason;
    }

    /// <summary>The subscription concerned; null when the session refused the filter or holds none by that name.</summary>
    public SessionSubscription? Subscription { get; }

    /// <summary>Whether the session did not hold this filter before (SUBSCRIBE only).</summary>
    public bool IsNew { get; internal set; }

    /// <summary>Whether matching retained messages are to be sent, as Retain Handling says [MQTT-3.3.1-9] to [MQTT-3.3.1-11].</summary>
    public bool WantsRetained { get; internal set; }

    /// <summary>
    /// The reason code of SUBACK or UNSUBACK. The session fills in the granted QoS or its refusal; the router changes it
    /// only to a failure.
    /// </summary>
    public ReasonCode Reason { get; set; }

    /// <summary>Whether the session already refused this item, so that the router has nothing to do with it.</summary>
    public bool IsRefused => (byte)Reason >= 0x80;

    /// <summary>The filter was thought to be held when the SUBSCRIBE came, and then was refused to an earlier one.</summary>
    internal void BecomeNew()
    {
        IsNew = true;
        WantsRetained |= Subscription is { Filter.IsShared: false, Options.RetainHandling: RetainHandling.SendIfNew };
    }
}
