using System.Diagnostics.Metrics;
using Trunkline.Hosting.Metrics;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Counters of listeners and loops, on the meter "Trunkline.Hosting". Any thread.</summary>
public sealed class HostingMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Trunkline.Hosting";

    private readonly Meter _meter;
    private readonly Counter<long> _accepted;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _closed;
    private readonly Counter<long> _acceptPauses;
    private readonly Counter<long> _handshakesPutOff;
    private readonly UpDownCounter<long> _connections;

    /// <summary>Makes the instruments; the byte counters read <paramref name="loops"/>.</summary>
    public HostingMetrics(IMeterFactory? factory, IReadOnlyList<Loop> loops)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _accepted = _meter.CreateCounter<long>("trunkline.listener.accepted", description: "Connections accepted, by listener.");
        _refused = _meter.CreateCounter<long>("trunkline.listener.refused", description: "Connections refused before MQTT, by listener and reason.");
        _closed = _meter.CreateCounter<long>("trunkline.listener.closed", description: "Connections closed, by listener and how their transport ended.");
        _acceptPauses = _meter.CreateCounter<long>("trunkline.listener.pauses", description: "Pauses of accepting for want of descriptors or memory.");
        _handshakesPutOff = _meter.CreateCounter<long>("trunkline.listener.handshakes.put.off", description: "Steps of TLS handshakes that waited for a later turn of their loop, by listener.");
        _connections = _meter.CreateUpDownCounter<long>("trunkline.listener.connections", description: "Connections open now, before and after CONNECT, by listener.");
        _meter.CreateObservableCounter("trunkline.network.received", () => loops.Sum(loop => loop.ReceivedBytes), "By", "Bytes received from sockets.");
        _meter.CreateObservableCounter("trunkline.network.sent", () => loops.Sum(loop => loop.SentBytes), "By", "Bytes sent to sockets.");
        _meter.CreateObservableCounter("trunkline.loop.coalesced.waits", () => loops.Sum(loop => loop.CoalescedWaits), description: "Moments that loops waited so that several events share a wake-up.");
        _meter.CreateObservableUpDownCounter("trunkline.loops.sharing", () => loops.Count(loop => loop.IsShared), description: "Loops that the first loop's thread runs, too.");
        _meter.CreateObservableCounter("trunkline.loop.handovers", () => loops.Sum(loop => loop.HandOvers), description: "Changes of the thread that runs a loop.");
        _meter.CreateObservableCounter("trunkline.loop.faults", () => loops.Sum(loop => loop.FaultCount), description: "Exceptions contained at the edge of a loop.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void Accepted(string listener)
    {
        _accepted.Add(1, new KeyValuePair<string, object?>("listener", listener));
        _connections.Add(1, new KeyValuePair<string, object?>("listener", listener));
    }

    internal void Refused(string listener, RefusalReason reason) =>
        _refused.Add(1, new KeyValuePair<string, object?>("listener", listener), new KeyValuePair<string, object?>("reason", Names.Of(reason)));

    internal void Closed(string listener, TransportCloseReason reason)
    {
        _closed.Add(1, new KeyValuePair<string, object?>("listener", listener), new KeyValuePair<string, object?>("reason", Names.Of(reason)));
        _connections.Add(-1, new KeyValuePair<string, object?>("listener", listener));
    }

    internal void AcceptPaused(string listener) => _acceptPauses.Add(1, new KeyValuePair<string, object?>("listener", listener));

    internal void HandshakePutOff(string listener) => _handshakesPutOff.Add(1, new KeyValuePair<string, object?>("listener", listener));

    /// <summary>Label values, made once.</summary>
    private static class Names
    {
        private static readonly string[] Refusals = Array.ConvertAll(Enum.GetValues<RefusalReason>(), LabelValue.Of);
        private static readonly string[] Closes = Array.ConvertAll(Enum.GetValues<TransportCloseReason>(), LabelValue.Of);

        public static string Of(RefusalReason reason) => Refusals[(int)reason];

        public static string Of(TransportCloseReason reason) => Closes[(int)reason];
    }
}
