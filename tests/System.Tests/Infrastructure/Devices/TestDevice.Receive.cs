using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Infrastructure;

/// <content>What the device receives. One reader; acknowledgements are written before the next frame is read.</content>
public sealed partial class TestDevice
{
    private readonly Dictionary<ushort, string> _aliases = [];
    private readonly HashSet<ushort> _openExactlyOnce = [];
    private readonly List<TestMessage> _fresh = [];
    private ReasonCode? _disconnectReason;

    private async Task ReceiveAllAsync()
    {
        byte[] buffer = new byte[2048];
        int length = 0;
        string end = "The connection was closed.";
        try
        {
            while (true)
            {
                int read = await _stream.ReadAsync(buffer.AsMemory(length));
                if (read == 0)
                {
                    break;
                }

                length += read;
                int consumed = 0;
                while (TryHandle(buffer.AsSpan(consumed, length - consumed), out int size, out byte[] answer))
                {
                    consumed += size;
                    if (answer.Length > 0)
                    {
                        await AnswerAsync(answer);
                    }

                    HandOver();
                }

                buffer.AsSpan(consumed, length - consumed).CopyTo(buffer);
                length -= consumed;
                if (length == buffer.Length)
                {
                    Array.Resize(ref buffer, buffer.Length * 2);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException or WebSocketException or OperationCanceledException or InvalidDataException)
        {
            end = exception.Message;
        }
        finally
        {
            End(end);
        }
    }

    /// <summary>A server that has closed takes no answer; what it said before is still read.</summary>
    private async Task AnswerAsync(byte[] answer)
    {
        try
        {
            await SendRawAsync(answer);
        }
        catch (Exception exception) when (exception is IOException or SocketException or WebSocketException)
        {
            // Reading tells how it ended.
        }
    }

    /// <summary>Behind the answer: a test that has a message and says DISCONNECT says it behind the acknowledgement.</summary>
    private void HandOver()
    {
        foreach (TestMessage message in _fresh)
        {
            _received.Enqueue(message);
            _messages.Writer.TryWrite(message);
        }

        _fresh.Clear();
    }

    private void End(string why)
    {
        IOException exception = new($"{ClientId}: {why} DISCONNECT: {_disconnectReason?.ToString() ?? "none"}.");
        _closed.TrySetResult(_disconnectReason);
        _connAck.TrySetException(exception);
        _messages.Writer.TryComplete(exception);
        foreach (TaskCompletionSource<IReadOnlyList<ReasonCode>> source in _acknowledgements.Values)
        {
            source.TrySetException(exception);
        }

        // Nobody may wait any more: that is no unobserved error.
        _ = _connAck.Task.Exception;
    }

    private bool TryHandle(ReadOnlySpan<byte> bytes, out int size, out byte[] answer)
    {
        answer = [];
        size = 0;
        switch (FrameReader.TryRead(bytes, 0, Options.Version, out Frame frame, out ProtocolError error))
        {
            case FrameStatus.NeedMore:
                return false;
            case FrameStatus.Complete:
                size = frame.TotalLength;
                answer = Handle(frame);
                return true;
            default:
                throw new InvalidDataException(error.ToString());
        }
    }

    private byte[] Handle(in Frame frame)
    {
        ProtocolError error = default;
        switch (frame.Type)
        {
            case PacketType.ConnAck when ConnAckPacket.TryParse(frame, Options.Version, out ConnAckPacket packet, out error):
                _connAck.TrySetResult(new TestConnAck(
                    packet.ReasonCode,
                    packet.SessionPresent,
                    packet.HasAssignedClientId ? Encoding.UTF8.GetString(packet.AssignedClientId) : null,
                    packet.ReceiveMaximum,
                    packet.TopicAliasMaximum,
                    packet.MaximumPacketSize,
                    packet.ServerKeepAliveSeconds,
                    packet.HasReasonString ? Encoding.UTF8.GetString(packet.ReasonString) : null));
                return [];
            case PacketType.Publish when PublishPacket.TryParse(frame, Options.Version, PacketSender.Server, out PublishPacket packet, out error):
                return HandlePublish(packet);
            case PacketType.SubAck when SubAckPacket.TryParse(frame, Options.Version, out SubAckPacket packet, out error):
                return Acknowledged(packet.PacketId, packet.ReasonCodes.ToArray());
            case PacketType.UnsubAck when UnsubAckPacket.TryParse(frame, Options.Version, out UnsubAckPacket packet, out error):
                return Acknowledged(packet.PacketId, packet.ReasonCodes.ToArray());
            case PacketType.PubAck when PubAckPacket.TryParse(frame, Options.Version, out PubAckPacket packet, out error):
                return Acknowledged(packet.PacketId, [packet.ReasonCode]);
            case PacketType.PubRec when PubRecPacket.TryParse(frame, Options.Version, out PubRecPacket packet, out error):
                return ReasonCodes.IsError(packet.ReasonCode) ? Acknowledged(packet.PacketId, [packet.ReasonCode]) : Acknowledgement(0x62, packet.PacketId);
            case PacketType.PubComp when PubCompPacket.TryParse(frame, Options.Version, out PubCompPacket packet, out error):
                return Acknowledged(packet.PacketId, [packet.ReasonCode]);
            case PacketType.PubRel when PubRelPacket.TryParse(frame, Options.Version, out PubRelPacket packet, out error):
                _openExactlyOnce.Remove(packet.PacketId);
                return Options.Acknowledges ? Acknowledgement(0x70, packet.PacketId) : [];
            case PacketType.Disconnect when DisconnectPacket.TryParse(frame, Options.Version, PacketSender.Server, out DisconnectPacket packet, out error):
                _disconnectReason = packet.ReasonCode;
                return [];
            case PacketType.PingResp:
                return [];
            default:
                throw new InvalidDataException($"{frame.Type}: {error}");
        }
    }

    private byte[] HandlePublish(scoped in PublishPacket packet)
    {
        string topic = Encoding.UTF8.GetString(packet.Topic);
        ushort alias = packet.Properties.TopicAlias;
        if (alias > 0 && topic.Length == 0)
        {
            topic = _aliases[alias];
        }
        else if (alias > 0)
        {
            _aliases[alias] = topic;
        }

        // QoS 2: a message whose id is open is the same one again ([MQTT-4.3.3-10]).
        if (packet.QoS != QoS.ExactlyOnce || _openExactlyOnce.Add(packet.PacketId))
        {
            _fresh.Add(TestMessage.From(packet, topic));
        }

        return packet.QoS == QoS.AtMostOnce || !Options.Acknowledges
            ? []
            : Acknowledgement(packet.QoS == QoS.AtLeastOnce ? (byte)0x40 : (byte)0x50, packet.PacketId);
    }

    private byte[] Acknowledged(ushort packetId, IReadOnlyList<ReasonCode> codes)
    {
        if (_acknowledgements.TryRemove(packetId, out TaskCompletionSource<IReadOnlyList<ReasonCode>>? source))
        {
            source.TrySetResult(codes);
        }

        return [];
    }

    // PUBACK, PUBREC, PUBREL and PUBCOMP without properties look alike in all versions.
    private static byte[] Acknowledgement(byte firstByte, ushort packetId) => [firstByte, 2, (byte)(packetId >> 8), (byte)packetId];
}
