using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Interleavings;

/// <summary>A broker's door with one rule taken out: a receive link that is back goes on at the tail, whatever position it names.</summary>
internal sealed class ForgetfulResumes(IConnectionAcceptor inner) : IConnectionAcceptor
{
    public void OnAccepted(Transport transport)
    {
        inner.OnAccepted(transport);
        transport.Handler = new Handler(transport.Handler);
    }

    private sealed class Handler(ITransportHandler inner) : ITransportHandler
    {
        public int OnReceived(ReadOnlySpan<byte> bytes)
        {
            int used = 0;
            while (FrameReader.TryRead(bytes[used..], 0, ProtocolVersion.Mqtt50, out Frame frame, out _) == FrameStatus.Complete)
            {
                ReadOnlySpan<byte> whole = bytes.Slice(used, frame.TotalLength);
                ReadOnlySpan<byte> passed = Forgetful(frame, whole);
                if (inner.OnReceived(passed) < passed.Length)
                {
                    break;
                }

                used += frame.TotalLength;
            }

            return used;
        }

        public void OnWritable() => inner.OnWritable();

        public void OnWithheld() => inner.OnWithheld();

        public void OnClosed(TransportCloseReason reason) => inner.OnClosed(reason);

        private static ReadOnlySpan<byte> Forgetful(in Frame frame, ReadOnlySpan<byte> whole)
        {
            if (frame.Type != PacketType.Publish
                || !PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Client, out PublishPacket packet, out _)
                || !packet.Topic.SequenceEqual("$trunkline/resume"u8))
            {
                return whole;
            }

            // The payload is a packet's end; a request is short enough for one byte of length.
            ReadOnlySpan<byte> rest = frame.Body[..^packet.Payload.Length];
            ReadOnlySpan<byte> tail = "tail"u8;
            byte length = checked((byte)(rest.Length + tail.Length));
            return length < 128 ? (byte[])[whole[0], length, .. rest, .. tail] : throw new InvalidOperationException("The request is too long.");
        }
    }
}
