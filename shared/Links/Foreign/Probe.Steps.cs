using System.Globalization;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Links;

internal sealed partial class Probe
{
    private const int SharedMessages = 4;
    private const uint OrderIdentifier = 1001;
    private const uint SharedIdentifier = 1002;
    private const uint RetainedIdentifier = 1003;

    /// <summary>What CONNACK must not deny.</summary>
    private string? JudgeClaims(LinkPeer peer)
    {
        if (peer.MaximumQoS == QoS.AtMostOnce)
        {
            return Failure("it serves QoS 0 only", "allow QoS 1 (Mosquitto: max_qos 2)");
        }

        if (!peer.RetainAvailable)
        {
            return Failure("it has retained messages turned off", "turn them on (Mosquitto: retain_available true)");
        }

        if (!peer.IdentifiersAvailable || !peer.WildcardAvailable || !peer.SharedAvailable)
        {
            return Failure("it has subscription identifiers, wildcards or shared subscriptions turned off", "turn them on");
        }

        return peer.ReceiveMaximum < MinimumReceiveMaximum
            ? Failure(
                $"its Receive Maximum is {peer.ReceiveMaximum}, but a link needs {MinimumReceiveMaximum} at least",
                "raise it (Mosquitto: max_inflight_messages 0)")
            : null;
    }

    private void Enter(Step step)
    {
        _step = step;
        Clear();
        _loop.Timers.Schedule(this, _group.Node.Options.ProbeTimeoutMs);
        switch (step)
        {
            case Step.Order:
                Subscribe(_first!, Topic("order/+"), OrderIdentifier);
                break;
            case Step.Shared:
                byte[] shared = Encoding.ASCII.GetBytes($"$share/{_group.Node.NodeId}/{_root}/shared");
                Subscribe(_first!, shared, SharedIdentifier);
                Subscribe(_second!, shared, SharedIdentifier);
                break;
            case Step.Retained:
                Publish(Topic("retained"), "kept", retain: true);
                Subscribe(_second!, Topic("retained"), RetainedIdentifier);
                break;
            case Step.Cleared:
                Publish(Topic("retained"), "", retain: true);
                Unsubscribe(_second!, Topic("retained"));
                Subscribe(_second!, Topic("retained"), RetainedIdentifier);
                break;
        }
    }

    /// <summary>All subscriptions of the step are answered: what they should bring is published, and the marker behind it.</summary>
    private void PublishStep()
    {
        (string topic, int count) = _step switch
        {
            Step.Order => ("order/x", OrderMessages),
            Step.Shared => ("shared", SharedMessages),
            _ => ("", 0),
        };
        for (int i = 0; i < count; i++)
        {
            Publish(Topic(topic), i.ToString(CultureInfo.InvariantCulture), retain: false);
        }

        Publish(Topic("end/" + _step), "", retain: false);
    }

    private void OnPublish(LinkConnection connection, in PublishPacket packet)
    {
        if (packet.QoS != QoS.AtMostOnce)
        {
            PacketWriter.WritePubAck(connection.Output, ProtocolVersion.Mqtt50, packet.PacketId);
        }

        int index = ReferenceEquals(connection, _first) ? 0 : 1;
        string topic = Encoding.UTF8.GetString(packet.Topic)[(_root.Length + 1)..];
        if (topic == "end/" + _step)
        {
            _ended[index] = true;
            if (_ended[0] && _ended[1])
            {
                End();
            }

            return;
        }

        uint identifier = 0;
        foreach (uint one in packet.Properties.SubscriptionIdentifiers)
        {
            identifier = one;
        }

        bool hasProperty = ForwardableProperties.TryFindUserProperty(packet.Properties, "probe"u8, out ReadOnlySpan<byte> value) && value.SequenceEqual("yes"u8);
        _seen[index].Add(new Seen(topic, Encoding.UTF8.GetString(packet.Payload), packet.QoS, packet.Retain, identifier, hasProperty));
    }

    /// <summary>The step's marker has come to both connections: what did not come before it does not come.</summary>
    private void End()
    {
        string? failure = _refusedSubscribe != ReasonCode.Success
            ? Failure($"it refuses a subscription under {_root} with {_refusedSubscribe}", "let the links' user publish and subscribe everything")
            : Judge();
        if (failure is not null)
        {
            Refuse(failure);
        }
        else if (_step == Step.Cleared)
        {
            Pass();
        }
        else
        {
            Enter(_step + 1);
        }
    }

    private string? Judge()
    {
        List<Seen> first = _seen[0];
        List<Seen> second = _seen[1];
        switch (_step)
        {
            case Step.Order:
                List<Seen> ordered = first.FindAll(seen => seen.Topic == "order/x");
                return ordered.Count != OrderMessages ? Failure($"a wildcard subscription got {ordered.Count} of {OrderMessages} messages", "let it queue more (Mosquitto: max_queued_messages 0)")
                    : ordered.Exists(seen => seen.QoS != QoS.AtLeastOnce) ? Failure("it delivers QoS 1 messages at another QoS", "let it keep QoS 1")
                    : ordered.Exists(seen => seen.Identifier != OrderIdentifier) ? Failure("it does not send subscription identifiers back", "use a broker that does")
                    : ordered.Exists(seen => !seen.HasUserProperty) ? Failure("it loses user properties", "use a broker that carries them")
                    : !ordered.Select((seen, index) => seen.Payload == index.ToString(CultureInfo.InvariantCulture)).All(isRight => isRight)
                        ? Failure("it does not keep the order of messages of one topic", "use a broker that does")
                        : null;
            case Step.Shared:
                int copies = first.Count(seen => seen.Topic == "shared") + second.Count(seen => seen.Topic == "shared");
                return copies == SharedMessages ? null : Failure($"{SharedMessages} messages to a shared subscription came {copies} times", "use a broker that gives each to one member");
            case Step.Retained:
                return second.Exists(seen => seen is { Topic: "retained", Payload: "kept", Retain: true, Identifier: RetainedIdentifier })
                    ? null
                    : Failure("it does not keep retained messages or sends them without the identifier", "turn retained messages on (Mosquitto: retain_available true)");
            default:
                return second.Exists(seen => seen is { Topic: "retained", Retain: true })
                    ? Failure("it does not delete a retained message by an empty one", "use a broker that does")
                    : null;
        }
    }

    private string Missing() =>
        Failure($"in the step \"{_step}\" its answers did not come within {_group.Node.Options.ProbeTimeoutMs} ms", "look into its log, and let the links' user publish and subscribe everything");

    private void Subscribe(LinkConnection connection, byte[] filter, uint identifier)
    {
        _awaited++;
        PacketWriter.WriteSubscribe(
            connection.Output, ProtocolVersion.Mqtt50, NextPacketId(), filter, SubscriptionOptions.Create(QoS.AtLeastOnce), identifier);
    }

    private void Unsubscribe(LinkConnection connection, byte[] filter) =>
        PacketWriter.WriteUnsubscribe(connection.Output, ProtocolVersion.Mqtt50, NextPacketId(), filter);

    /// <summary>The second connection publishes everything, so that its marker comes last.</summary>
    private void Publish(byte[] topic, string payload, bool retain)
    {
        Span<byte> buffer = stackalloc byte[32];
        var properties = new UserPropertyBuilder(buffer);
        properties.TryAdd("probe"u8, "yes"u8);
        var encoder = new PublishEncoder
        {
            Version = ProtocolVersion.Mqtt50,
            Topic = topic,
            Payload = Encoding.ASCII.GetBytes(payload),
            ForwardableProperties = properties.Block,
            QoS = QoS.AtLeastOnce,
            Retain = retain,
            PacketId = NextPacketId(),
        };
        encoder.Write(_second!.Output);
    }

    private ushort NextPacketId() => ++_lastPacketId;
}
