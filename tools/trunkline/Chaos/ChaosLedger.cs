using System.Globalization;
using Trunkline.Protocol;

namespace Trunkline.Tool.Chaos;

/// <summary>
/// What was acknowledged and what came, per stream (one publisher, topic and QoS) by numbers from 1; wills and sessions
/// beside them. It judges. Any thread.
/// </summary>
internal sealed class ChaosLedger
{
    private const int MaximumExamples = 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, HashSet<int>> _acknowledged = [];
    private readonly Dictionary<(string Reader, string Stream), Arrivals> _arrivals = [];
    private readonly Dictionary<string, Func<string, bool>> _readers = [];
    private readonly Dictionary<string, WillEntry> _wills = [];
    private readonly List<string> _examples = [];

    /// <summary>Messages acknowledged.</summary>
    public int Acknowledged => Locked(() => _acknowledged.Values.Sum(numbers => numbers.Count));

    /// <summary>Messages delivered, repeats included.</summary>
    public int Delivered { get; private set; }

    /// <summary>Repeats at QoS 1: allowed.</summary>
    public int Repeats { get; private set; }

    /// <summary>QoS 2 messages that came again.</summary>
    public int Duplicates { get; private set; }

    /// <summary>First arrivals behind a later number of their stream.</summary>
    public int OrderViolations { get; private set; }

    /// <summary>Resumed connections that were told there is no session.</summary>
    public int SessionsLost { get; private set; }

    /// <summary>Publishes that were refused; allowed, but of interest.</summary>
    public int Refused { get; private set; }

    /// <summary>Wills that came though their device lives or left in order, or came again.</summary>
    public int WillsWrong { get; private set; }

    /// <summary>Wills of devices that were cut.</summary>
    public int WillsDue => Locked(() => _wills.Values.Count(will => will.State == WillState.Due));

    /// <summary>What was wrong, the first of it.</summary>
    public IReadOnlyList<string> Examples => Locked(() => (IReadOnlyList<string>)[.. _examples]);

    /// <summary>The payload of a message; the stream is found again by it.</summary>
    public static string Payload(string stream, int number) => string.Create(CultureInfo.InvariantCulture, $"{stream}|{number}");

    /// <summary>A reader (a subscriber, or a share with all its members) that is to get every message of the streams it names.</summary>
    public void AddReader(string reader, Func<string, bool> wants) => Locked(() => _readers[reader] = wants);

    public void Acknowledge(string stream, int number) => Locked(() =>
    {
        if (!_acknowledged.TryGetValue(stream, out HashSet<int>? numbers))
        {
            _acknowledged.Add(stream, numbers = []);
        }

        return numbers.Add(number);
    });

    public void Refuse() => Locked(() => Refused++);

    public void LoseSession(string client) => Locked(() =>
    {
        SessionsLost++;
        Note($"{client} was told that it has no session");
        return true;
    });

    /// <summary>Notes a message; one that is not of these streams is not judged.</summary>
    /// <param name="reader">Who got it.</param>
    /// <param name="payload">The message.</param>
    /// <param name="qos">At which QoS it came.</param>
    /// <param name="isOrdered">Whether order is judged.</param>
    /// <param name="member">Which of the reader's devices; named with what is wrong at QoS 2.</param>
    public void Deliver(string reader, string payload, QoS qos, bool isOrdered, string member = "")
    {
        int bar = payload.LastIndexOf('|');
        if (bar <= 0 || !int.TryParse(payload.AsSpan(bar + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return;
        }

        lock (_gate)
        {
            Delivered++;
            (string, string) key = (reader, payload[..bar]);
            if (!_arrivals.TryGetValue(key, out Arrivals? arrivals))
            {
                _arrivals.Add(key, arrivals = new Arrivals());
            }

            if (!arrivals.Seen.Add(number))
            {
                if (qos == QoS.ExactlyOnce)
                {
                    Duplicates++;
                    Note($"{reader} got {payload} again at QoS 2{Ways(arrivals, number, member)}");
                }
                else
                {
                    Repeats++;
                }
            }
            else if (number < arrivals.Highest && isOrdered)
            {
                OrderViolations++;
                Note($"{reader} got {payload} first after {arrivals.Highest}");
            }

            arrivals.Highest = int.Max(arrivals.Highest, number);
            if (member.Length > 0 && qos == QoS.ExactlyOnce)
            {
                arrivals.By[number] = member;
            }
        }
    }

    /// <summary>A device with a will connected, is about to be cut, or has left: what that says of its will.</summary>
    public void SetWill(string device, WillState state) => Locked(() =>
    {
        if (!_wills.TryGetValue(device, out WillEntry? will))
        {
            _wills.Add(device, will = new WillEntry());
        }

        return will.State = state;
    });

    /// <summary>A will came.</summary>
    public void WillCame(string device) => Locked(() =>
    {
        if (!_wills.TryGetValue(device, out WillEntry? will))
        {
            return false;
        }

        if (will.State is WillState.Set or WillState.Over || will.Came > 0)
        {
            WillsWrong++;
            Note(will.Came > 0 ? $"the will of {device} came again" : $"the will of {device} came though it was not due");
        }

        will.Came++;
        return true;
    });

    /// <summary>Wills that are due and did not come.</summary>
    public IReadOnlyList<string> WillsMissing() => Locked(() => (IReadOnlyList<string>)
        [.. _wills.Where(pair => pair.Value is { State: WillState.Due, Came: 0 }).Select(pair => pair.Key)]);

    /// <summary>Acknowledged messages that a reader lacks.</summary>
    public IReadOnlyList<string> Missing() => Locked(() => (IReadOnlyList<string>)
    [
        .. _readers.SelectMany(reader => _acknowledged.Where(stream => reader.Value(stream.Key)).SelectMany(stream =>
        {
            HashSet<int>? seen = _arrivals.GetValueOrDefault((reader.Key, stream.Key))?.Seen;
            return stream.Value.Where(number => seen?.Contains(number) != true).Select(number => $"{reader.Key} lacks {stream.Key}|{number}");
        })),
    ]);

    private static string Ways(Arrivals arrivals, int number, string member) =>
        member.Length == 0 ? "" : $": {member}, before that {arrivals.By.GetValueOrDefault(number)}";

    private void Note(string what)
    {
        if (_examples.Count < MaximumExamples)
        {
            _examples.Add(what);
        }
    }

    private T Locked<T>(Func<T> step)
    {
        lock (_gate)
        {
            return step();
        }
    }

    private sealed class Arrivals
    {
        public HashSet<int> Seen { get; } = [];

        public int Highest { get; set; }

        /// <summary>By which member each number came last.</summary>
        public Dictionary<int, string> By { get; } = [];
    }

    private sealed class WillEntry
    {
        public WillState State { get; set; }

        public int Came { get; set; }
    }
}

/// <summary>What is known of a device's will.</summary>
internal enum WillState
{
    /// <summary>Its device is connected: it must not come.</summary>
    Set,

    /// <summary>Its device was cut: it must come, once.</summary>
    Due,

    /// <summary>It may come once: the server ended the connection, or a proxy died while the device said goodbye.</summary>
    Optional,

    /// <summary>Its device left in order: it must not come.</summary>
    Over,
}
