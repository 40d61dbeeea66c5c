using System.Buffers;
using Trunkline.Protocol.Tests.Support;

namespace Trunkline.Protocol.Tests.Publishing;

public sealed class AllocationTests
{
    private const int Rounds = 10_000;
    private static readonly uint[] Identifiers = [5, 500];
    private static readonly ReasonCode[] Codes = [ReasonCode.GrantedQoS1, ReasonCode.NotAuthorized];

    [Theory]
    [InlineData("30 {[devices/17/temperature] {} '21.5'}")]
    [InlineData("32 {[devices/17/temperature] 0001 {} '21.5'}")]
    [InlineData("32 {[devices/17/temperature] 0001 {01 01 02 00000010 03 [t] 08 [r] 26 [k] [v] 26 [tl] [x]} '21.5'}")]
    [InlineData("40 {0001}")]
    [InlineData("40 {0001 10 {1F [r] 26 [k] [v]}}")]
    [InlineData("82 {0001 {0B 05} [a/#] 01 [b] 02}")]
    [InlineData("10 {[MQTT] 05 C6 003C {11 00000010 26 [k] [v]} [c] {01 01} [w] [p] [me] [pw]}")]
    [InlineData("C0 {}")]
    public void Reading_and_writing_allocates_nothing(string source)
    {
        var bytes = Assembler.Assemble(source);
        var output = new FixedOutput();
        var block = new byte[256];
        Once(bytes, output, block);
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (var i = 0; i < Rounds; i++)
            {
                Once(bytes, output, block);
            }
        }));
    }

    private static void Once(byte[] bytes, FixedOutput output, Span<byte> block)
    {
        output.Reset();
        const ProtocolVersion Version = ProtocolVersion.Mqtt50;
        var written = 0;
        if (FrameReader.TryRead(bytes, 1 << 20, Version, out var frame, out _) == FrameStatus.Complete)
        {
            switch (frame.Type)
            {
                case PacketType.Publish when PublishPacket.TryParse(frame, Version, PacketSender.Client, out var publish, out _):
                    var length = ForwardableProperties.Copy(publish.Properties, block, strip: true);
                    var encoder = new PublishEncoder
                    {
                        Version = Version,
                        Topic = publish.Topic,
                        Payload = publish.Payload,
                        ForwardableProperties = block[..length],
                        QoS = publish.QoS,
                        PacketId = 9,
                        RemainingExpirySeconds = publish.Properties.MessageExpiryInterval,
                        SubscriptionIdentifiers = Identifiers,
                        ExtraKey = "tl"u8,
                        ExtraValue = "1"u8,
                    };
                    written = encoder.Write(output);
                    written += PacketWriter.WritePubAck(output, Version, 1);
                    written += PacketWriter.WritePubRec(output, Version, 1, ReasonCode.NoMatchingSubscribers);
                    break;
                case PacketType.PubAck when PubAckPacket.TryParse(frame, Version, out var ack, out _):
                    written = PacketWriter.WritePubAck(output, Version, ack);
                    break;
                case PacketType.Subscribe when SubscribePacket.TryParse(frame, Version, out var subscribe, out _):
                    foreach (var subscription in subscribe.Subscriptions)
                    {
                        written += PacketWriter.WriteSubscribe(output, Version, 1, subscription.Filter, subscription.Options, 77);
                    }

                    written += PacketWriter.WriteSubAck(output, Version, 1, Codes);
                    break;
                case PacketType.Connect when ConnectPacket.TryParse(frame, out var connect, out _):
                    written = PacketWriter.WriteConnect(output, connect) + PacketWriter.WriteConnAck(output, Version, new ConnAckPacket { ReceiveMaximum = 20 });
                    break;
                case PacketType.PingReq when PingReqPacket.TryParse(frame, out _, out _):
                    written = PacketWriter.WritePingResp(output);
                    break;
                default:
                    break;
            }
        }

        if (written == 0 || written != output.Written)
        {
            throw new InvalidOperationException("nothing was read or written");
        }
    }

    private sealed class FixedOutput : IBufferWriter<byte>
    {
        private readonly byte[] _buffer = new byte[4096];

        public int Written { get; private set; }

        public void Reset() => Written = 0;

        public void Advance(int count) => Written += count;

        public Memory<byte> GetMemory(int sizeHint = 0) => _buffer.AsMemory(Written);

        public Span<byte> GetSpan(int sizeHint = 0) => _buffer.AsSpan(Written);
    }
}
