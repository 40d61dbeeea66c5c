using Trunkline.Protocol;

namespace Trunkline.Links.Tests;

/// <summary>
/// Notes, in order, which QoS 1 packet identifiers the broker sent and which the link acknowledged. Of the connection
/// that got most: the others are publish links and probes.
/// </summary>
internal sealed class RecordingRelay(int target) : FrameRelay(target)
{
    private readonly Dictionary<int, (List<ushort> Received, List<ushort> Acknowledged)> _notes = [];

    /// <summary>What the busiest receiving connection got and acknowledged so far.</summary>
    public (IReadOnlyList<ushort> Received, IReadOnlyList<ushort> Acknowledged) Busiest
    {
        get
        {
            lock (_notes)
            {
                (List<ushort> received, List<ushort> acknowledged) = _notes.Values.MaxBy(notes => notes.Received.Count);
                return ([.. received], [.. acknowledged]);
            }
        }
    }

    /// <summary>Noted before it is passed on, so that an acknowledgement can never be noted before its message.</summary>
    protected override IReadOnlyList<byte[]> Pass(int connection, bool isFromBroker, byte[] packet)
    {
        FrameReader.TryRead(packet, 0, ProtocolVersion.Mqtt50, out Frame frame, out _);
        lock (_notes)
        {
            if (!_notes.TryGetValue(connection, out (List<ushort> Received, List<ushort> Acknowledged) notes))
            {
                _notes[connection] = notes = ([], []);
            }

            if (isFromBroker && frame.Type == PacketType.Publish
                && PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out PublishPacket publish, out _) && publish.PacketId != 0)
            {
                notes.Received.Add(publish.PacketId);
            }
            else if (!isFromBroker && frame.Type == PacketType.PubAck && PubAckPacket.TryParse(frame, ProtocolVersion.Mqtt50, out PubAckPacket ack, out _))
            {
                notes.Acknowledged.Add(ack.PacketId);
            }
        }

        return [packet];
    }
}
