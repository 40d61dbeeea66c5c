using System.Collections.Concurrent;
using System.Globalization;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

/// <summary>
/// What was acknowledged and what came, per stream (publisher, topic, QoS) by sequence numbers from 1. Any thread.
/// </summary>
public sealed class DeliveryLedger
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<int, byte>> _acknowledged = new();
    private readonly ConcurrentDictionary<(string Subscriber, string Stream), Arrivals> _arrivals = new();

    /// <summary>Messages acknowledged so far.</summary>
    public int Acknowledged => _acknowledged.Values.Sum(numbers => numbers.Count);

    /// <summary>Messages of one stream acknowledged so far.</summary>
    public int AcknowledgedOf(string stream) => _acknowledged.TryGetValue(stream, out ConcurrentDictionary<int, byte>? numbers) ? numbers.Count : 0;

    /// <summary>The payload of a message; the stream is found again by it.</summary>
    public static string Payload(string stream, int number) => string.Create(CultureInfo.InvariantCulture, $"{stream}|{number}");

    public void Acknowledge(string stream, int number) =>
        _acknowledged.GetOrAdd(stream, _ => new()).TryAdd(number, 0);

    /// <summary>Notes a message; payloads of others are not ours to judge.</summary>
    public void Deliver(string subscriber, ReceivedMessage message)
    {
        int bar = message.Payload.LastIndexOf('|');
        if (bar > 0 && int.TryParse(message.Payload.AsSpan(bar + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            _arrivals.GetOrAdd((subscriber, message.Payload[..bar]), _ => new Arrivals()).Add(number, message.QoS);
        }
    }

    /// <summary>
    /// Acknowledged messages that a subscriber lacks, of the streams it should get; where shares have a ledger of their own,
    /// for they promise no order, the other one says what was acknowledged.
    /// </summary>
    public IReadOnlyList<string> Missing(string subscriber, Func<string, bool> isWanted, DeliveryLedger? acknowledged = null) =>
    [
        .. (acknowledged ?? this)._acknowledged.Where(stream => isWanted(stream.Key)).SelectMany(stream =>
            stream.Value.Keys
                .Where(number => !_arrivals.TryGetValue((subscriber, stream.Key), out Arrivals? arrivals) || !arrivals.Has(number))
                .Select(number => $"{subscriber} lacks {stream.Key}|{number}")),
    ];

    /// <summary>First arrivals out of order, whoever's.</summary>
    public IReadOnlyList<string> OrderViolations() =>
        [.. _arrivals.SelectMany(pair => pair.Value.Late.Select(late => $"{pair.Key.Subscriber} got {pair.Key.Stream}|{late}"))];

    /// <summary>Messages at QoS 2 that came more than once.</summary>
    public IReadOnlyList<string> DuplicatesOfQoS2() =>
        [.. _arrivals.SelectMany(pair => pair.Value.Twice.Select(twice => $"{pair.Key.Subscriber} got {pair.Key.Stream}|{twice} again"))];

    /// <summary>Repeats at QoS 1: allowed, worth a figure.</summary>
    public int RepeatsOfQoS1 => _arrivals.Values.Sum(arrivals => arrivals.Repeats);

    private sealed class Arrivals
    {
        private readonly Lock _lock = new();
        private readonly HashSet<int> _seen = [];
        private readonly List<string> _late = [];
        private readonly List<int> _twice = [];
        private int _highest;

        public int Repeats { get; private set; }

        public IReadOnlyList<string> Late => Locked(() => (IReadOnlyList<string>)[.. _late]);

        public IReadOnlyList<int> Twice => Locked(() => (IReadOnlyList<int>)[.. _twice]);

        public bool Has(int number) => Locked(() => _seen.Contains(number));

        public void Add(int number, QoS qos)
        {
            lock (_lock)
            {
                if (!_seen.Add(number))
                {
                    if (qos == QoS.ExactlyOnce)
                    {
                        _twice.Add(number);
                    }
                    else
                    {
                        Repeats++;
                    }
                }
                else if (number < _highest)
                {
                    _late.Add($"{number} first after {_highest}");
                }
                else
                {
                    _highest = number;
                }
            }
        }

        private T Locked<T>(Func<T> read)
        {
            lock (_lock)
            {
                return read();
            }
        }
    }
}
