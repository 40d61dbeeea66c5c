using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>A CONNECT packet, copied out of the receive buffer, on its way through authentication and claim.</summary>
public sealed class ConnectRequest
{
    private readonly bool _cleanStart;

    internal ConnectRequest(in ConnectPacket packet)
    {
        Version = packet.Version;
        IsBridge = packet.IsBridge;
        _cleanStart = packet.CleanStart;
        KeepAliveSeconds = packet.KeepAliveSeconds;
        ClientId = Encoding.UTF8.GetString(packet.ClientId);
        UserName = packet.HasUserName ? Encoding.UTF8.GetString(packet.UserName) : null;
        Password = packet.HasPassword ? packet.Password.ToArray() : null;
        SessionExpirySeconds = packet.SessionExpiryInterval;
        ReceiveMaximum = packet.ReceiveMaximum;
        MaximumPacketSize = packet.MaximumPacketSize;
        TopicAliasMaximum = packet.TopicAliasMaximum;
        WantsResponseInformation = packet.RequestResponseInformation;
        WantsProblemInformation = packet.RequestProblemInformation;
        Will = packet.HasWill ? new Will(packet) : null;
        if (!packet.UserProperties.IsEmpty)
        {
            var properties = new List<(string Key, string Value)>();
            foreach (UserProperty property in packet.UserProperties)
            {
                properties.Add((Encoding.UTF8.GetString(property.Key), Encoding.UTF8.GetString(property.Value)));
            }

            UserProperties = properties;
        }
    }

    /// <summary>The protocol version.</summary>
    public ProtocolVersion Version { get; }

    /// <summary>Whether the peer is a bridge (bit 0x80 of the protocol level): it wants RETAIN flags kept as published.</summary>
    public bool IsBridge { get; }

    /// <summary>Clean Start (5.0) or Clean Session (3.x); also when it is served so without having asked.</summary>
    public bool CleanStart => _cleanStart || IsServedClean;

    /// <summary>Whether it is served with a clean session that ends with its connection, whatever it asked for.</summary>
    public bool IsServedClean { get; private set; }

    /// <summary>Keep alive as asked, in seconds; 0 for none.</summary>
    public ushort KeepAliveSeconds { get; }

    /// <summary>The client identifier; assigned by us when the client left it empty.</summary>
    public string ClientId { get; internal set; }

    /// <summary>Whether the identifier was assigned by us.</summary>
    public bool IsClientIdAssigned { get; internal set; }

    /// <summary>User name, or null.</summary>
    public string? UserName { get; }

    /// <summary>Password, or null.</summary>
    public byte[]? Password { get; }

    /// <summary>Session expiry as asked in 5.0, in seconds.</summary>
    public uint SessionExpirySeconds { get; }

    /// <summary>
    /// Session expiry in force, in seconds: what was asked, in 3.x by Clean Session, within Mqtt:SessionExpiryCapSeconds;
    /// <see cref="uint.MaxValue"/> for never.
    /// </summary>
    public uint ExpiryWithin(MqttOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        uint wanted = IsServedClean ? 0 : Version == ProtocolVersion.Mqtt50 ? SessionExpirySeconds : CleanStart ? 0 : uint.MaxValue;
        return uint.Min(wanted, options.SessionExpiryCapSeconds);
    }

    /// <summary>
    /// Serves it with a clean session that ends with its connection. CONNACK says so: Session Present 0, and at 5.0 Session
    /// Expiry Interval 0 where something else was asked [MQTT-3.2.2-2].
    /// </summary>
    public void ServeClean() => IsServedClean = true;

    /// <summary>QoS 1 and 2 messages the client takes unacknowledged.</summary>
    public ushort ReceiveMaximum { get; }

    /// <summary>Largest packet the client takes, in bytes; 0 for any.</summary>
    public uint MaximumPacketSize { get; }

    /// <summary>Topic aliases the client allows us.</summary>
    public ushort TopicAliasMaximum { get; }

    /// <summary>Whether response information may be given [MQTT-3.1.2-28].</summary>
    public bool WantsResponseInformation { get; }

    /// <summary>Whether reason strings and user properties may be sent with any packet [MQTT-3.1.2-29].</summary>
    public bool WantsProblemInformation { get; }

    /// <summary>The will, or null.</summary>
    public Will? Will { get; }

    /// <summary>User properties of CONNECT; our links announce themselves by one.</summary>
    public IReadOnlyList<(string Key, string Value)> UserProperties { get; } = [];
}
