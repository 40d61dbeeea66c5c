using System.Buffers;
using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>
/// The frames of one message, encoded once per (version, QoS, retain) and copied to each receiver with only its packet
/// identifier changed. Its buffers are reused from message to message. Loop thread only.
/// </summary>
public sealed class EncodedShapes
{
    private const int ShapeCount = 12;
    private readonly byte[][] _frames = new byte[ShapeCount][];
    private readonly int[] _lengths = new int[ShapeCount];
    private readonly int[] _packetIdOffsets = new int[ShapeCount];
    private SharedMessage? _message;

    /// <summary>Forgets the frames of the message before.</summary>
    public void Begin(SharedMessage message)
    {
        _message = message;
        Array.Clear(_lengths);
    }

    /// <summary>Writes the frame; the message must be the one begun with and must not expire, for its frame would age.</summary>
    internal void Write(IBufferWriter<byte> output, ProtocolVersion version, QoS qos, bool retain, ushort packetId)
    {
        int shape = ((int)qos * 4) + (version == ProtocolVersion.Mqtt50 ? 2 : 0) + (retain ? 1 : 0);
        if (_lengths[shape] == 0)
        {
            Encode(shape, version, qos, retain);
        }

        EncodedPublish.Write(output, _frames[shape].AsSpan(0, _lengths[shape]), _packetIdOffsets[shape], packetId);
    }

    private void Encode(int shape, ProtocolVersion version, QoS qos, bool retain)
    {
        var encoder = new PublishEncoder
        {
            Version = version,
            Topic = _message!.Topic,
            Payload = _message.Payload,
            ForwardableProperties = _message.Properties,
            QoS = qos,
            Retain = retain,
            PacketId = (ushort)(qos == QoS.AtMostOnce ? 0 : 1),
        };
        int length = encoder.Measure();
        if (_frames[shape] is null || _frames[shape].Length < length)
        {
            _frames[shape] = GC.AllocateUninitializedArray<byte>(length);
        }

        encoder.Write(_frames[shape]);
        _lengths[shape] = length;
        _packetIdOffsets[shape] = encoder.PacketIdOffset;
    }
}
