using Trunkline.Protocol;

namespace Trunkline.Sessions;

public sealed partial class Channel
{
    // The first byte of a PUBLISH without DUP, QoS and RETAIN.
    private const byte PlainPublish = (byte)PacketType.Publish << 4;

    /// <summary>
    /// A plain message on the topic of the one before it: QoS 0, not retained, without properties. Its topic was judged
    /// with the first of them [MQTT-3.3.2-2], [MQTT-4.7.0-1], and nothing else of it can be wrong. False where it is not
    /// such a one: the ordinary way judges it then.
    /// </summary>
    private bool TryReceivePlain(in Frame frame)
    {
        KnownTopic topic = _context.KnownTopic;
        ReadOnlySpan<byte> rest = frame.Body;
        if (frame.FirstByte != PlainPublish || !topic.Begins(rest) || Session!.OriginIfNeeded != 0)
        {
            return false;
        }

        rest = rest[topic.Field.Length..];
        if (_version == ProtocolVersion.Mqtt50)
        {
            // The length of no properties is one zero byte.
            if (rest.IsEmpty || rest[0] != 0)
            {
                return false;
            }

            rest = rest[1..];
        }

        _context.Counters.Add(SessionCounter.ReceivedQoS0);
        Forwarded(_context.Router.PublishPlain(topic, rest, Session));
        return true;
    }
}
