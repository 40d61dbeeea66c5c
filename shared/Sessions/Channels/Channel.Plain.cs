using Trunkline.Protocol;

namespace Trunkline.Sessions;

public sealed partial class Channel
{
    // The first byte of a PUBLISH without DUP, QoS and RETAIN.
    private const byte PlainPublish = (byte)PacketType.Publish << 4;

    // Long enough that what is done once a run weighs nothing; short enough that limits which are looked at between two
    // runs are kept closely, and that four of them fit into a chunk of output.
    private const int MaximumRunBytes = 4000;

    /// <summary>
    /// Plain messages on the topic of the one before them: QoS 0, not retained, without properties. The topic was judged
    /// with the first of them [MQTT-3.3.2-2], [MQTT-4.7.0-1], and nothing else of them can be wrong. Returns how many
    /// packets were taken from the front of <paramref name="bytes"/>, each as long as <paramref name="frame"/>, the first of
    /// them; 0 where it is not such a one: the ordinary way judges it then.
    /// </summary>
    private int ReceivePlain(in Frame frame, ReadOnlySpan<byte> bytes, int mostPackets)
    {
        KnownTopic topic = _context.KnownTopic;
        if (frame.FirstByte != PlainPublish || _state != State.Open || !topic.Begins(frame.Body) || Session!.OriginIfNeeded != 0)
        {
            return 0;
        }

        int payload = frame.TotalLength - frame.Body.Length + topic.Field.Length;
        if (_version == ProtocolVersion.Mqtt50)
        {
            // The length of no properties is one zero byte.
            if (payload == frame.TotalLength || bytes[payload] != 0)
            {
                return 0;
            }

            payload++;
        }

        PlainPublishRun run = PlainPublishRun.Find(bytes, frame.TotalLength, payload, mostPackets, MaximumRunBytes);
        _context.Counters.Add(SessionCounter.ReceivedQoS0, run.Count);
        Forwarded(_context.Router.PublishPlain(topic, run, Session), run.Count);
        return run.Count;
    }
}
