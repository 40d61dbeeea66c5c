using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Links;

/// <summary>What a broker said of itself in CONNACK.</summary>
internal sealed record LinkPeer
{
    public LinkPeer(in ConnAckPacket packet)
    {
        ReceiveMaximum = packet.ReceiveMaximum;
        MaximumPacketSize = packet.MaximumPacketSize;
        MaximumQoS = packet.MaximumQoS;
        RetainAvailable = packet.RetainAvailable;
        WildcardAvailable = packet.WildcardSubscriptionAvailable;
        IdentifiersAvailable = packet.SubscriptionIdentifiersAvailable;
        SharedAvailable = packet.SharedSubscriptionAvailable;
        ServerKeepAliveSeconds = packet.ServerKeepAliveSeconds;
        if (packet.UserProperties.TryFind(ForwardableProperties.TrunklineKey, out ReadOnlySpan<byte> text))
        {
            TrunklineFields fields = TrunklineFields.Parse(text);
            IsTrunkline = fields.Version == 1;
            Term = fields.Term;
            Incarnation = Encoding.ASCII.GetString(fields.Incarnation);
        }
    }

    public bool IsTrunkline { get; }

    public ulong Term { get; }

    public string Incarnation { get; } = "";

    public ushort ReceiveMaximum { get; }

    public uint MaximumPacketSize { get; }

    public QoS MaximumQoS { get; }

    public bool RetainAvailable { get; }

    public bool WildcardAvailable { get; }

    public bool IdentifiersAvailable { get; }

    public bool SharedAvailable { get; }

    public ushort? ServerKeepAliveSeconds { get; }
}
