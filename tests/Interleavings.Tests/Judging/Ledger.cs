using Trunkline.Protocol;

namespace Trunkline.Interleavings;

/// <summary>A message a device sent.</summary>
internal sealed record Sent(string Publisher, string Topic, QoS QoS, int Number, string Payload)
{
    /// <summary>When its first PUBLISH left, in the model's order of events; 0 while it waits.</summary>
    public int SentAt { get; set; }

    /// <summary>Whether it left more than once: a node may have a copy that it sends late, of a connection that is gone.</summary>
    public bool IsRepeated { get; set; }

    public bool IsAcknowledged { get; set; }

    /// <summary>When that was, in the same order.</summary>
    public int AcknowledgedAt { get; set; } = int.MaxValue;

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
    private readonly List<Asking> _asked = [];
    private readonly Dictionary<(string Device, string Topic), int> _wanted = [];
    private readonly Dictionary<string, int> _shared = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _sharedSince = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WillGiven> _wills = new(StringComparer.Ordinal);
    private readonly List<string> _violations = [];
    private int _now;

    private sealed record Asking(string Device, string Topic, int At)
    {
        /// <summary>
        /// Whether a message at QoS 1 came live since then, or as the retained one and its publisher had repeated it: it may be one
        /// that was acknowledged long ago, for a node repeats what its link had not got acknowledged after its publisher has gone
        /// elsewhere. That repeat is the retained message then.
        /// </summary>
        public bool IsReplaced { get; set; }
    }

    private sealed record Subscribed(string Device, string Topic, QoS QoS, int At);

    /// <summary>What happened, line by line, when somebody wants to read it; null for nobody.</summary>
    public List<string>? Story { get; init; }

    /// <summary>Whether what was published since a subscription need not come: limits may skip it.</summary>
    public bool MayBeSkipped { get; init; }

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

    public void Left(Sent message)
    {
        message.IsRepeated = message.SentAt > 0;
        message.SentAt = message.IsRepeated ? message.SentAt : ++_now;
    }

    public void Acknowledged(Sent message)
    {
        if (!message.IsAcknowledged)
        {
            message.IsAcknowledged = true;
            message.AcknowledgedAt = ++_now;
        }
    }

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

    /// <summary>
    /// A device sent SUBSCRIBE for a topic whose messages are retained: the last of them is to come, or one that replaced it.
    /// A second SUBSCRIBE gives the last one again, ahead of what the first still has to give.
    /// </summary>
    public void Asked(string device, string topic) => _asked.Add(new Asking(device, topic, ++_now));

    /// <summary>
    /// A device sends SUBSCRIBE for a topic: what was acknowledged before that does not come, but as a retained message. At
    /// QoS 1 a node may repeat, and so publish, a message after its publisher had it acknowledged elsewhere.
    /// </summary>
    public void Wanted(string device, string topic) => _wanted.TryAdd((device, topic), ++_now);

    public void SubAcked(string device, string topic, QoS qos) => _subscribed.Add(new Subscribed(device, topic, qos, ++_now));

    /// <summary>A member of the shared subscription was granted a filter: the share stands from the first of them on, whoever is there.</summary>
    public void Joined(IReadOnlyList<string> topics)
    {
        int now = ++_now;
        foreach (string topic in topics)
        {
            _sharedSince.TryAdd(topic, now);
        }
    }

    /// <summary>A member took a message of its share that is not a repeat of an exchange it has open.</summary>
    /// <param name="device">Who.</param>
    /// <param name="payload">What.</param>
    /// <param name="isExact">Whether a QoS 2 message may come once only, over all members.</param>
    public void Shared(string device, string payload, bool isExact)
    {
        _now++;
        _delivered[(device, payload)] = _delivered.GetValueOrDefault((device, payload)) + 1;
        int times = _shared[payload] = _shared.GetValueOrDefault(payload) + 1;
        if (times > 1 && isExact && _sent[payload].QoS == QoS.ExactlyOnce)
        {
            Violate($"the share got \"{payload}\" {times} times, now {device}");
        }
    }

    /// <summary>A device took a message that is not a repeat of an exchange it has open.</summary>
    /// <param name="device">Who.</param>
    /// <param name="granted">The QoS of its filter.</param>
    /// <param name="payload">What.</param>
    /// <param name="isRetained">
    /// Whether it came as a retained message: those come again for a second SUBSCRIBE, and over a resume while they were not
    /// all done, at QoS 2 too (docs/adr/0007, Known limits). What came so does not come live afterwards.
    /// </param>
    public void Delivered(string device, QoS granted, string payload, bool isRetained)
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
        if (!isRetained && message.QoS == QoS.ExactlyOnce && message.AcknowledgedAt < _wanted.GetValueOrDefault((device, message.Topic)))
        {
            Violate($"{device} got \"{payload}\" although that was acknowledged before it subscribed");
        }

        foreach (Asking asked in _asked.Where(asked => message.QoS == QoS.AtLeastOnce && (!isRetained || message.IsRepeated)
            && asked.Device == device && asked.Topic == message.Topic))
        {
            asked.IsReplaced = true;
        }

        // A second SUBSCRIBE gives the last message again, ahead of what the first still has to give.
        bool isAskedAgain = _asked.Count(asked => asked.Device == device && asked.Topic == message.Topic) > 1;
        if (times > 1 && !isRetained && !isAskedAgain && message.QoS == QoS.ExactlyOnce && granted == QoS.ExactlyOnce)
        {
            Violate($"{device} got \"{payload}\" {times} times");
        }

        var stream = (device, message.Publisher, message.Topic, message.QoS);
        int latest = _latest.GetValueOrDefault(stream);

        // Who subscribed after a message was sent may have a later one as a retained message before its publisher repeats it.
        // One at QoS 1 that its publisher had repeated elsewhere a node may publish again, behind later ones, long after that.
        bool isOlder = _asked.Exists(asked => asked.Device == device && asked.Topic == message.Topic && asked.At > message.SentAt)
            || (message is { QoS: QoS.AtLeastOnce, IsRepeated: true } && _wanted.GetValueOrDefault((device, message.Topic)) > message.SentAt);
        if (times == 1 && message.Number < latest && !message.IsForgiven && !isOlder)
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
        foreach (Subscribed subscribed in MayBeSkipped ? [] : _subscribed)
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

        foreach (Asking asked in _asked.Where(asked => !asked.IsReplaced))
        {
            // One that was acknowledged before a later one was sent is not the last.
            int latest = _sent.Values.Where(sent => sent.Topic == asked.Topic && sent.AcknowledgedAt < asked.At).Select(sent => sent.SentAt).DefaultIfEmpty(0).Max();
            if (latest > 0 && !_sent.Values.Any(sent => sent.Topic == asked.Topic && sent.AcknowledgedAt > latest
                && _delivered.ContainsKey((asked.Device, sent.Payload))))
            {
                yield return $"{asked.Device} never got what was retained on {asked.Topic} when it subscribed";
            }
        }

        foreach (Sent message in _sent.Values)
        {
            if (message is { IsAcknowledged: true, IsForgiven: false } && _sharedSince.TryGetValue(message.Topic, out int since)
                && message.SentAt > since && !_shared.ContainsKey(message.Payload))
            {
                yield return $"no member of the share got \"{message.Payload}\", which was acknowledged";
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
