using Trunkline.Protocol;

namespace Trunkline.Interleavings;

/// <summary>A message a device sent.</summary>
internal sealed record Sent(string Publisher, string Topic, QoS QoS, int Number, string Payload)
{
    /// <summary>When its first PUBLISH left, in the model's order of events; 0 while it waits.</summary>
    public int SentAt { get; set; }

    public bool IsAcknowledged { get; set; }

    /// <summary>Whether it need not come any more.</summary>
    public bool IsForgiven { get; set; }
}

/// <summary>
/// What devices sent, subscribed and got, in one order of events, and what is wrong with it. It knows nothing of how the
/// tier works: only what devices may rely on.
/// </summary>
internal sealed class Ledger
{
    private readonly Dictionary<string, Sent> _sent = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Device, string Payload), int> _delivered = [];
    private readonly Dictionary<(string Device, string Publisher, string Topic, QoS QoS), int> _latest = [];
    private readonly List<Subscribed> _subscribed = [];
    private readonly Dictionary<string, WillGiven> _wills = new(StringComparer.Ordinal);
    private readonly List<string> _violations = [];
    private int _now;

    private sealed record Subscribed(string Device, string Topic, QoS QoS, int At);

    /// <summary>What happened, line by line, when somebody wants to read it; null for nobody.</summary>
    public List<string>? Story { get; init; }

    /// <summary>What was violated, in the order it was seen.</summary>
    public IReadOnlyList<string> Violations => _violations;

    public int Messages => _sent.Count;

    public int Deliveries => _delivered.Values.Sum();

    public void Violate(string what)
    {
        _violations.Add(what);
        Story?.Add("VIOLATED: " + what);
    }

    public Sent Take(string publisher, string topic, QoS qos)
    {
        int number = _sent.Values.Count(sent => sent.Publisher == publisher && sent.Topic == topic && sent.QoS == qos) + 1;
        var message = new Sent(publisher, topic, qos, number, $"{publisher} {topic} QoS {(int)qos} #{number}");
        _sent.Add(message.Payload, message);
        return message;
    }

    public void Left(Sent message) => message.SentAt = message.SentAt == 0 ? ++_now : message.SentAt;

    public void Acknowledged(Sent message) => message.IsAcknowledged = true;

    /// <summary>
    /// A group has forgotten everything: nothing that was sent before has to come any more, and when it comes all the same
    /// (another node had a copy), it need not be in order: the copy that was may be what is forgotten.
    /// </summary>
    public void Forgive()
    {
        foreach (Sent message in _sent.Values)
        {
            message.IsForgiven |= message.SentAt > 0;
        }
    }

    public void SubAcked(string device, string topic, QoS qos) => _subscribed.Add(new Subscribed(device, topic, qos, ++_now));

    /// <summary>A device took a message that is not a repeat of an exchange it has open.</summary>
    public void Delivered(string device, QoS granted, string payload)
    {
        _now++;
        int times = _delivered[(device, payload)] = _delivered.GetValueOrDefault((device, payload)) + 1;
        if (_wills.TryGetValue(payload, out WillGiven? will))
        {
            if (times > 1 && granted == QoS.ExactlyOnce)
            {
                Violate($"{device} got \"{payload}\" {times} times");
            }
            else if (will.State is WillState.Open)
            {
                Violate($"{device} got \"{payload}\" although that connection is open");
            }
            else if (will.State is WillState.SentAway)
            {
                Violate($"{device} got \"{payload}\" although its device was sent away, and comes back");
            }

            return;
        }

        Sent message = _sent[payload];
        if (times > 1 && message.QoS == QoS.ExactlyOnce && granted == QoS.ExactlyOnce)
        {
            Violate($"{device} got \"{payload}\" {times} times");
        }

        var stream = (device, message.Publisher, message.Topic, message.QoS);
        int latest = _latest.GetValueOrDefault(stream);
        if (times == 1 && message.Number < latest && !message.IsForgiven)
        {
            Violate($"{device} got \"{payload}\" first after #{latest}");
        }

        _latest[stream] = int.Max(latest, message.Number);
    }

    public void Gave(string will) => _wills.Add(will, new WillGiven(++_now));

    /// <summary>How the connection that gave a will goes on.</summary>
    public void Turned(string will, WillState state)
    {
        if (_wills.TryGetValue(will, out WillGiven? given) && given.State < WillState.Due)
        {
            given.State = state switch
            {
                WillState.Due when given.State == WillState.Given => WillState.MayCome,
                WillState.SentAway when given.State != WillState.Open => WillState.MayCome,
                _ => state,
            };
        }
    }

    /// <summary>Nobody knows any more whether a will is due.</summary>
    public void Forgive(string will)
    {
        if (_wills.TryGetValue(will, out WillGiven? given) && given.State == WillState.Due)
        {
            given.State = WillState.MayCome;
        }
    }

    /// <summary>Whether everything that has to come has come: asked while the tier settles.</summary>
    public bool IsComplete => !Missing().Any();

    /// <summary>At the end: what never came.</summary>
    public void JudgeEnd() => _violations.AddRange(Missing());

    private IEnumerable<string> Missing()
    {
        foreach (Subscribed subscribed in _subscribed)
        {
            foreach (Sent message in _sent.Values)
            {
                if (message is { IsAcknowledged: true, IsForgiven: false } && message.Topic == subscribed.Topic && message.SentAt > subscribed.At
                    && !_delivered.ContainsKey((subscribed.Device, message.Payload)))
                {
                    yield return $"{subscribed.Device} never got \"{message.Payload}\", which was acknowledged";
                }
            }
        }

        foreach ((string will, WillGiven given) in _wills)
        {
            foreach (Subscribed watcher in _subscribed.Where(subscribed => subscribed.Topic == Settings.WillTopic && subscribed.At < given.At))
            {
                int times = _delivered.GetValueOrDefault((watcher.Device, will));
                if (times == 0 && given.State == WillState.Due)
                {
                    yield return $"{watcher.Device} never got \"{will}\"";
                }
                else if (times > 0 && given.State == WillState.Dropped)
                {
                    yield return $"{watcher.Device} got \"{will}\" although its device had disconnected in order";
                }
            }
        }
    }

    private sealed class WillGiven(int at)
    {
        public int At { get; } = at;

        public WillState State { get; set; }
    }
}

/// <summary>What is to become of a will.</summary>
internal enum WillState
{
    /// <summary>CONNECT was sent.</summary>
    Given,

    /// <summary>The connection was accepted and is not over.</summary>
    Open,

    /// <summary>It ended without DISCONNECT: the will is to come, once.</summary>
    Due,

    /// <summary>It may or may not come, but not twice: nobody can know how far CONNECT or DISCONNECT got.</summary>
    MayCome,

    /// <summary>The device disconnected in order, and it was taken.</summary>
    Dropped,

    /// <summary>A node that stops sent the device away, which is back before anybody may think that it is not: the will does not come.</summary>
    SentAway,
}
