using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>
/// Brings one message to many sessions of one loop: merges the matching subscriptions of a session into one delivery at
/// their highest QoS with all their identifiers [MQTT-3.3.4-2] [MQTT-3.3.4-4], and encodes the frame once per shape.
/// Begin, Add for each matching subscription, Deliver. Loop thread only; allocates nothing in steady state.
/// </summary>
public sealed class FanOut
{
    /// <summary>From this many receiving sessions on, frames are encoded once and copied.</summary>
    private const int ShapeThreshold = 3;

    private readonly EncodedShapes _shapes = new();
    private Target[] _targets = new Target[64];
    private uint[] _identifiers = new uint[16];
    private int _count;
    private int _run;
    private SharedMessage? _message;

    private struct Target
    {
        public Session Session;
        public QoS Granted;
        public bool RetainAsPublished;
        public uint FirstIdentifier;
        public List<uint>? MoreIdentifiers;
    }

    /// <summary>Begins with a message; the caller keeps its reference until after <see cref="Deliver()"/>.</summary>
    public void Begin(SharedMessage message)
    {
        _message = message;
        _count = 0;
        _run++;
    }

    /// <summary>Adds one matching subscription. No Local is respected here [MQTT-3.8.3-3].</summary>
    public void Add(SessionSubscription subscription)
    {
        if (subscription.Excludes(_message!.Origin) || !subscription.IsHeld)
        {
            return;
        }

        Session session = subscription.Session;
        if (session.FanOutRun == _run)
        {
            Merge(ref _targets[session.FanOutSlot], subscription);
            return;
        }

        if (_count == _targets.Length)
        {
            Array.Resize(ref _targets, _targets.Length * 2);
        }

        session.FanOutRun = _run;
        session.FanOutSlot = _count;
        ref Target target = ref _targets[_count++];
        target.Session = session;
        target.Granted = subscription.Options.QoS;
        target.RetainAsPublished = subscription.Options.RetainAsPublished;
        target.FirstIdentifier = subscription.Identifier;
        target.MoreIdentifiers?.Clear();
    }

    /// <summary>How many sessions were added.</summary>
    public int Count => _count;

    /// <summary>Delivers to every session added, once each.</summary>
    public void Deliver() => Deliver(isBacklog: false);

    /// <summary>As above, for a message read from a group's log for these sessions.</summary>
    public void DeliverBacklog() => Deliver(isBacklog: true);

    private void Deliver(bool isBacklog)
    {
        SharedMessage message = _message!;
        EncodedShapes? shapes = _count >= ShapeThreshold ? _shapes : null;
        shapes?.Begin(message);
        for (int i = 0; i < _count; i++)
        {
            ref Target target = ref _targets[i];
            Session session = target.Session;
            target.Session = null!;
            bool retain = target.RetainAsPublished && message.Retain;
            ReadOnlySpan<uint> identifiers = IdentifiersOf(ref target);
            if (isBacklog)
            {
                session.DeliverBacklog(message, target.Granted, retain, identifiers, shapes);
            }
            else
            {
                session.Deliver(message, target.Granted, retain, identifiers, shapes);
            }
        }

        _count = 0;
        _message = null;
    }

    private static void Merge(ref Target target, SessionSubscription subscription)
    {
        if (subscription.Options.QoS > target.Granted)
        {
            target.Granted = subscription.Options.QoS;
        }

        target.RetainAsPublished |= subscription.Options.RetainAsPublished;
        if (subscription.Identifier == 0)
        {
            return;
        }

        if (target.FirstIdentifier == 0)
        {
            target.FirstIdentifier = subscription.Identifier;
        }
        else
        {
            (target.MoreIdentifiers ??= []).Add(subscription.Identifier);
        }
    }

    private ReadOnlySpan<uint> IdentifiersOf(ref Target target)
    {
        if (target.FirstIdentifier == 0)
        {
            return default;
        }

        int count = 1 + (target.MoreIdentifiers?.Count ?? 0);
        if (_identifiers.Length < count)
        {
            _identifiers = new uint[count * 2];
        }

        _identifiers[0] = target.FirstIdentifier;
        target.MoreIdentifiers?.CopyTo(_identifiers, 1);
        return _identifiers.AsSpan(0, count);
    }
}
