using System.Buffers;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Tool.Chaos;

/// <summary>
/// Holds filters in a persistent session, acknowledges what comes, and tells a repeated QoS 2 message by its packet id
/// as a receiver has to [MQTT-4.3.3-10].
/// </summary>
internal sealed class ChaosSubscriber : IChaosClientOwner
{
    private readonly IReadOnlyList<(string Filter, QoS QoS)> _filters;
    private readonly ChaosLedger _ledger;
    private readonly Action<string, string, QoS> _deliver;
    private readonly HashSet<ushort> _inbound = [];
    private readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ushort _awaited;
    private bool _hasSubscribed;

    /// <param name="options">How it connects.</param>
    /// <param name="filters">What it subscribes.</param>
    /// <param name="ledger">Told of a lost session.</param>
    /// <param name="deliver">Told of each message: how it came, payload, QoS.</param>
    /// <param name="time">The clock.</param>
    public ChaosSubscriber(
        ChaosClientOptions options,
        IReadOnlyList<(string Filter, QoS QoS)> filters,
        ChaosLedger ledger,
        Action<string, string, QoS> deliver,
        TimeProvider time)
    {
        _filters = filters;
        _ledger = ledger;
        _deliver = deliver;
        Client = new ChaosClient(options, this, time);
    }

    public ChaosClient Client { get; }

    /// <summary>Connects and returns when every filter was granted.</summary>
    public async Task StartAsync()
    {
        await Client.StartAsync();
        await _subscribed.Task;
    }

    /// <inheritdoc/>
    public void Connected(bool isSessionPresent, IBufferWriter<byte> output)
    {
        if (isSessionPresent && _hasSubscribed)
        {
            return;
        }

        if (_hasSubscribed)
        {
            _ledger.LoseSession(Client.ClientId);
            _inbound.Clear();
        }

        // The last filter's SUBACK says that all are live: SUBACKs come in order.
        for (ushort n = 1; n <= _filters.Count; n++)
        {
            PacketWriter.WriteSubscribe(
                output, Client.Version, n, Encoding.UTF8.GetBytes(_filters[n - 1].Filter), SubscriptionOptions.Create(_filters[n - 1].QoS));
        }

        _awaited = (ushort)_filters.Count;
    }

    /// <inheritdoc/>
    public void Received(in Frame frame, IBufferWriter<byte> output)
    {
        switch (frame.Type)
        {
            case PacketType.SubAck when SubAckPacket.TryParse(frame, Client.Version, out SubAckPacket packet, out _):
                if (packet.ReasonCodes.Length > 0 && ReasonCodes.IsError(packet.ReasonCodes[0]))
                {
                    // A group was away: asked again on a new connection.
                    throw new IOException($"{Client.ClientId} was refused a filter: {packet.ReasonCodes[0]}");
                }

                if (packet.PacketId == _awaited)
                {
                    _hasSubscribed = true;
                    _subscribed.TrySetResult();
                }

                break;
            case PacketType.Publish when PublishPacket.TryParse(frame, Client.Version, PacketSender.Server, out PublishPacket packet, out _):
                Take(packet, output);
                break;
            case PacketType.PubRel when PubRelPacket.TryParse(frame, Client.Version, out PubRelPacket packet, out _):
                _inbound.Remove(packet.PacketId);
                PacketWriter.WritePubComp(output, Client.Version, packet.PacketId);
                break;
        }
    }

    /// <inheritdoc/>
    public void Lost()
    {
        // Packet ids that were received stay known: the session is to be found again.
    }

    private void Take(in PublishPacket packet, IBufferWriter<byte> output)
    {
        if (packet.QoS != QoS.ExactlyOnce || _inbound.Add(packet.PacketId))
        {
            string how = $"packet {packet.PacketId}{(packet.Duplicate ? ", DUP" : "")} on port {Client.Port}";
            _deliver(how, Encoding.UTF8.GetString(packet.Payload), packet.QoS);
        }

        if (packet.QoS == QoS.AtLeastOnce)
        {
            PacketWriter.WritePubAck(output, Client.Version, packet.PacketId);
        }
        else if (packet.QoS == QoS.ExactlyOnce)
        {
            PacketWriter.WritePubRec(output, Client.Version, packet.PacketId);
        }
    }
}
