using System.Text;
using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Interleavings;

/// <summary>One connection of a device: packets to bytes and back. What comes on one the device has left is not looked at.</summary>
internal sealed class DeviceConnection(ModelDevice device, int number, ModelNode node, string? will) : ITransportHandler, IConnectAttempt
{
    private readonly Dictionary<ushort, string> _subscribing = [];

    public int Number { get; } = number;

    public ModelNode Node { get; } = node;

    /// <summary>Seconds it has waited for CONNACK.</summary>
    public int WaitedSeconds { get; set; }

    public Transport? Transport { get; private set; }

    /// <summary>The will CONNECT carries.</summary>
    public string? Will { get; } = will;

    public bool IsAccepted { get; set; }

    /// <summary>Whether the node's end is closed, or there never was one.</summary>
    public bool IsOver { get; private set; }

    public Queue<(PacketType Type, ushort Id)> Owed { get; } = new();

    private bool IsCurrent => ReferenceEquals(device.Connection, this);

    public void OnConnected(Transport transport)
    {
        Transport = transport;
        transport.Handler = this;
        if (!IsCurrent)
        {
            transport.Close(TransportClose.Abort);
            return;
        }

        device.Asked();
        device.Tell(this, "sends Connect");
        PacketWriter.WriteConnect(transport.Output, new ConnectPacket
        {
            Version = ProtocolVersion.Mqtt50,
            ClientId = Encoding.UTF8.GetBytes(device.ClientId),
            CleanStart = device.IsClean,
            SessionExpiryInterval = device.IsClean ? 0u : 3600,
            ReceiveMaximum = 50,
            HasWill = Will is not null,
            WillTopic = Will is null ? default : Encoding.UTF8.GetBytes(Settings.WillTopic),
            WillPayload = Will is null ? default : Encoding.UTF8.GetBytes(Will),
            WillQoS = Will is null ? QoS.AtMostOnce : QoS.ExactlyOnce,
        });
    }

    public void OnConnectFailed(string reason)
    {
        IsOver = true;
        device.Closed(this);
    }

    public int OnReceived(ReadOnlySpan<byte> bytes)
    {
        int used = 0;
        while (IsCurrent && FrameReader.TryRead(bytes[used..], 0, ProtocolVersion.Mqtt50, out Frame frame, out _) == FrameStatus.Complete)
        {
            used += frame.TotalLength;
            Take(frame);
        }

        return IsCurrent ? used : bytes.Length;
    }

    public void OnWritable()
    {
    }

    public void OnClosed(TransportCloseReason reason)
    {
        // Of an end that the device closed nobody says when the node has seen it.
        IsOver = reason != TransportCloseReason.LocalClose;
        device.Closed(this);
    }

    /// <summary>Whether SUBSCRIBE for a filter was sent on this connection.</summary>
    public bool IsAsking(string filter) => _subscribing.ContainsValue(filter);

    public void Subscribe(ushort id, string filter, QoS qos)
    {
        _subscribing[id] = filter;
        device.Subscribing(filter);
        PacketWriter.WriteSubscribe(
            Transport!.Output, ProtocolVersion.Mqtt50, id, Encoding.UTF8.GetBytes(filter), SubscriptionOptions.Create(qos), 0);
    }

    public void Write(ModelDevice.Outgoing outgoing, bool duplicate) => new PublishEncoder
    {
        Version = ProtocolVersion.Mqtt50,
        Topic = Encoding.UTF8.GetBytes(outgoing.Message.Topic),
        Payload = Encoding.UTF8.GetBytes(outgoing.Message.Payload.PadRight(device.PayloadBytes)),
        QoS = outgoing.Message.QoS,
        Retain = device.Retains,
        PacketId = outgoing.PacketId,
        Duplicate = duplicate,
    }.Write(Transport!.Output);

    public void Write(PacketType type, ushort id)
    {
        switch (type)
        {
            case PacketType.PubAck:
                PacketWriter.WritePubAck(Transport!.Output, ProtocolVersion.Mqtt50, id);
                break;
            case PacketType.PubRec:
                PacketWriter.WritePubRec(Transport!.Output, ProtocolVersion.Mqtt50, id);
                break;
            case PacketType.PubRel:
                PacketWriter.WritePubRel(Transport!.Output, ProtocolVersion.Mqtt50, id);
                break;
            default:
                PacketWriter.WritePubComp(Transport!.Output, ProtocolVersion.Mqtt50, id);
                break;
        }
    }

    private void Take(in Frame frame)
    {
        device.Tell(this, $"gets {frame.Type}");
        switch (frame.Type)
        {
            case PacketType.ConnAck when ConnAckPacket.TryParse(frame, ProtocolVersion.Mqtt50, out ConnAckPacket packet, out _):
                device.Accepted(this, packet);
                break;
            case PacketType.SubAck when SubAckPacket.TryParse(frame, ProtocolVersion.Mqtt50, out SubAckPacket packet, out _):
                if (!ReasonCodes.IsError(packet.ReasonCodes[0]))
                {
                    device.SubAcked(_subscribing[packet.PacketId]);
                }

                break;
            case PacketType.Publish when PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out PublishPacket packet, out _):
                device.Got(this, packet);
                break;
            case PacketType.Disconnect when DisconnectPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out DisconnectPacket packet, out _)
                && packet.ReasonCode == ReasonCode.ServerShuttingDown:
                device.SentAway(this);
                break;
            case PacketType.PubRel when PubRelPacket.TryParse(frame, ProtocolVersion.Mqtt50, out PubRelPacket packet, out _):
                device.Released(this, packet.PacketId);
                break;
            case PacketType.PubAck when PubAckPacket.TryParse(frame, ProtocolVersion.Mqtt50, out PubAckPacket packet, out _):
                device.Acknowledged(this, frame.Type, packet.PacketId, packet.ReasonCode);
                break;
            case PacketType.PubRec when PubRecPacket.TryParse(frame, ProtocolVersion.Mqtt50, out PubRecPacket packet, out _):
                device.Acknowledged(this, frame.Type, packet.PacketId, packet.ReasonCode);
                break;
            case PacketType.PubComp when PubCompPacket.TryParse(frame, ProtocolVersion.Mqtt50, out PubCompPacket packet, out _):
                device.Acknowledged(this, frame.Type, packet.PacketId, packet.ReasonCode);
                break;
        }
    }
}
