using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>One application message on its way out of a session: slices that live only during the call.</summary>
public readonly ref struct PublishRequest
{
    /// <summary>The topic name after alias resolution, validated.</summary>
    public required ReadOnlySpan<byte> Topic { get; init; }

    /// <summary>The application message.</summary>
    public required ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>The properties it came with; <see cref="CopyForwardable"/> takes from them what travels on.</summary>
    public PublishProperties Properties { get; init; }

    /// <summary>Forwardable properties that were already encoded (wills); used instead of <see cref="Properties"/>.</summary>
    public ReadOnlySpan<byte> Forwardable { get; init; }

    /// <summary>The session that publishes; its rights decide.</summary>
    public required Session Publisher { get; init; }

    /// <summary>The QoS it was published with.</summary>
    public required QoS QoS { get; init; }

    /// <summary>The RETAIN flag it was published with.</summary>
    public required bool Retain { get; init; }

    /// <summary>Remaining lifetime in seconds; null for none.</summary>
    public uint? MessageExpirySeconds { get; init; }

    /// <summary>The publishing session for No Local, or 0 when none of its subscriptions asks for it.</summary>
    public ulong Origin { get; init; }

    /// <summary>
    /// The identity under which a log takes the message once, however often it comes; none for the link's own, which lasts as
    /// long as the link.
    /// </summary>
    public MessageId Id { get; init; }

    /// <summary>Bytes <see cref="CopyForwardable"/> writes.</summary>
    public int ForwardableLength =>
        Forwardable.IsEmpty ? ForwardableProperties.Measure(Properties, strip: true) : Forwardable.Length;

    /// <summary>
    /// Writes the properties that travel with the message, in their order [MQTT-3.3.2-17], without what belongs to one
    /// hop and without our own user property.
    /// </summary>
    public int CopyForwardable(Span<byte> destination)
    {
        if (Forwardable.IsEmpty)
        {
            return ForwardableProperties.Copy(Properties, destination, strip: true);
        }

        Forwardable.CopyTo(destination);
        return Forwardable.Length;
    }
}
