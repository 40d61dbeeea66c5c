using System.Buffers;
using BenchmarkDotNet.Attributes;
using Trunkline.Protocol;

namespace Trunkline.Benchmarks;

/// <summary>Frames and packets, in and out; the last one is what a link writes for a device's message at QoS 1.</summary>
public class CodecBenchmarks
{
    private readonly ArrayBufferWriter<byte> _output = new(4096);
    private readonly byte[] _payload = new byte[64];
    private readonly byte[] _topic = "sites/17/device/state"u8.ToArray();
    private byte[] _frame = [];

    [Params(ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt50)]
    public ProtocolVersion Version { get; set; }

    [GlobalSetup]
    public void Encode()
    {
        WritePublish();
        _frame = _output.WrittenSpan.ToArray();
    }

    [Benchmark]
    public int ReadPublish()
    {
        FrameStatus status = FrameReader.TryRead(_frame, 0, Version, out Frame frame, out _);
        return status == FrameStatus.Complete && PublishPacket.TryParse(frame, Version, PacketSender.Client, out PublishPacket packet, out _)
            ? packet.Payload.Length
            : throw new InvalidOperationException("The frame is not read.");
    }

    [Benchmark]
    public int WritePublish()
    {
        _output.ResetWrittenCount();
        return new PublishEncoder { Version = Version, Topic = _topic, Payload = _payload }.Write(_output);
    }

    [Benchmark]
    public int WritePubAck()
    {
        _output.ResetWrittenCount();
        return PacketWriter.WritePubAck(_output, Version, 7);
    }

    [Benchmark]
    public int WriteToLink()
    {
        _output.ResetWrittenCount();
        return new PublishEncoder
        {
            Version = ProtocolVersion.Mqtt50,
            Topic = _topic,
            Payload = _payload,
            QoS = QoS.AtLeastOnce,
            PacketId = 7,
            ExtraKey = "tl"u8,
            ExtraValue = "n123456"u8,
        }.Write(_output);
    }
}
