using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

public sealed partial class FaultDevice
{
    private async Task ReceiveAsync()
    {
        if (_options is { ReadsAfterIt: true, GoesOnFrom: { } before })
        {
            await before.Ended;
        }

        byte[] buffer = new byte[2048];
        int held = 0;
        ArrayBufferWriter<byte> answers = new();
        DeviceEnd? end = null;
        while (end is null)
        {
            if (_readingHeld is { } hold)
            {
                await hold.Task;
            }

            int count;
            try
            {
                count = await _socket.ReceiveAsync(buffer.AsMemory(held));
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                end = new DeviceEnd(null, error.Message);
                break;
            }

            if (count == 0)
            {
                end = new DeviceEnd(null, "The server closed the connection.");
                break;
            }

            held += count;
            int used = Take(buffer.AsSpan(0, held), answers, out end);
            buffer.AsSpan(used, held - used).CopyTo(buffer);
            held -= used;
            if (held == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }

            if (answers.WrittenCount > 0 && !await TrySendAsync(answers.WrittenMemory))
            {
                end ??= new DeviceEnd(null, "An acknowledgement could not be sent.");
            }

            answers.ResetWrittenCount();
        }

        Finish(end);
    }

    private void Finish(DeviceEnd end)
    {
        _ended.TrySetResult(end);
        _connected.TrySetException(new IOException($"{ClientId} got no CONNACK: {end.Detail}"));
        foreach (TaskCompletionSource<ReasonCode> source in _open.Values)
        {
            source.TrySetResult(ReasonCode.UnspecifiedError);
        }
    }

    private async Task<bool> TrySendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await SendAsync(bytes);
            return true;
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    private int Take(ReadOnlySpan<byte> bytes, ArrayBufferWriter<byte> answers, out DeviceEnd? end)
    {
        int used = 0;
        end = null;
        while (end is null)
        {
            FrameStatus status = FrameReader.TryRead(bytes[used..], 0, _options.Version, out Frame frame, out ProtocolError error);
            if (status == FrameStatus.NeedMore)
            {
                break;
            }

            if (status != FrameStatus.Complete)
            {
                end = new DeviceEnd(null, $"The server sent a malformed frame: {error.Message}");
                break;
            }

            used += frame.TotalLength;
            end = Dispatch(frame, answers);
        }

        return used;
    }

    private DeviceEnd? Dispatch(in Frame frame, ArrayBufferWriter<byte> answers)
    {
        ProtocolError error = default;
        switch (frame.Type)
        {
            case PacketType.ConnAck when ConnAckPacket.TryParse(frame, _options.Version, out ConnAckPacket packet, out error):
                _refusal = Encoding.UTF8.GetString(packet.ReasonString);
                _quota = new SemaphoreSlim(packet.ReceiveMaximum);
                IsSessionPresent = packet.SessionPresent;
                _connected.TrySetResult(packet.ReasonCode);
                return null;
            case PacketType.Publish when PublishPacket.TryParse(frame, _options.Version, PacketSender.Server, out PublishPacket packet, out error):
                TakeMessage(packet, answers);
                return null;
            case PacketType.PubAck when PubAckPacket.TryParse(frame, _options.Version, out PubAckPacket packet, out error):
                Complete(packet.PacketId, packet.ReasonCode, isOver: true);
                return null;
            case PacketType.PubRec when PubRecPacket.TryParse(frame, _options.Version, out PubRecPacket packet, out error):
                Complete(packet.PacketId, packet.ReasonCode, isOver: ReasonCodes.IsError(packet.ReasonCode));
                if (!ReasonCodes.IsError(packet.ReasonCode))
                {
                    PacketWriter.WritePubRel(answers, _options.Version, packet.PacketId);
                }

                return null;
            case PacketType.PubRel when PubRelPacket.TryParse(frame, _options.Version, out PubRelPacket packet, out error):
                _released.Add(packet.PacketId);
                if (!_options.ReadsInOrder)
                {
                    ForgetReleased();
                }

                PacketWriter.WritePubComp(answers, _options.Version, packet.PacketId);
                return null;
            case PacketType.PubComp when PubCompPacket.TryParse(frame, _options.Version, out PubCompPacket packet, out error):
                Complete(packet.PacketId, packet.ReasonCode, isOver: true);
                return null;
            case PacketType.SubAck when SubAckPacket.TryParse(frame, _options.Version, out SubAckPacket packet, out error):
                Complete(packet.PacketId, packet.ReasonCodes[0], isOver: true);
                return null;
            case PacketType.PingResp:
                _pong?.TrySetResult();
                return null;
            case PacketType.Disconnect when DisconnectPacket.TryParse(frame, _options.Version, PacketSender.Server, out DisconnectPacket packet, out error):
                return new DeviceEnd(packet.ReasonCode, Encoding.UTF8.GetString(packet.ReasonString));
            default:
                return new DeviceEnd(null, $"The server sent {frame.Type}: {error.Message}");
        }
    }

    private void TakeMessage(in PublishPacket packet, ArrayBufferWriter<byte> answers)
    {
        // A QoS 2 message that comes again under an identifier still open is the same message [MQTT-4.3.3-10].
        bool isNew = packet.QoS != QoS.ExactlyOnce || _inbound.TryAdd(packet.PacketId, 0);
        if (isNew)
        {
            ReceivedMessage message = new(
                Encoding.UTF8.GetString(packet.Topic), Encoding.UTF8.GetString(packet.Payload), packet.QoS, packet.Retain, packet.Duplicate);
            _received.Enqueue(message);
            OnMessage?.Invoke(message);
        }

        if (packet.QoS == QoS.AtLeastOnce)
        {
            PacketWriter.WritePubAck(answers, _options.Version, packet.PacketId);
        }
        else if (packet.QoS == QoS.ExactlyOnce)
        {
            PacketWriter.WritePubRec(answers, _options.Version, packet.PacketId);
        }
    }

    private void Complete(ushort packetId, ReasonCode code, bool isOver)
    {
        if (_open.TryGetValue(packetId, out TaskCompletionSource<ReasonCode>? source))
        {
            source.TrySetResult(code);
            if (isOver && _open.TryRemove(packetId, out _) && _publishes.TryRemove(packetId, out _))
            {
                _quota.Release();
            }
        }
    }
}
