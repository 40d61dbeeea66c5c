using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Links.Tests;

/// <summary>What a broker does that cannot serve as a group.</summary>
public enum BrokerFault
{
    DeniesIdentifiers,
    DeniesWildcards,
    DeniesShared,
    RefusesSubscriptions,
    RefusesPublishes,
    LosesMessages,
    LowersQoS,
    SendsNoIdentifiers,
    LosesUserProperties,
    TurnsOrder,
    GivesEachMemberACopy,
    KeepsNoRetained,
    DeletesNoRetained,
    FallsSilent,
}

/// <summary>Makes a sound Mosquitto behind it look like a broker with a fault. It changes packets of less than 128 bytes, as the probe's are.</summary>
internal sealed class FaultyBroker(int target, BrokerFault fault) : FrameRelay(target)
{
    private readonly Dictionary<int, byte[]> _held = [];

    /// <summary>The property with which the probe's subscription comes back: 1001 as a variable byte integer.</summary>
    private static ReadOnlySpan<byte> OrderIdentifier => [0x0B, 0xE9, 0x07];

    protected override IReadOnlyList<byte[]> Pass(int connection, bool isFromBroker, byte[] packet)
    {
        if (!isFromBroker)
        {
            return [packet];
        }

        switch ((PacketType)(packet[0] >> 4))
        {
            case PacketType.ConnAck when fault is BrokerFault.DeniesIdentifiers or BrokerFault.DeniesWildcards or BrokerFault.DeniesShared:
                byte property = fault == BrokerFault.DeniesIdentifiers ? (byte)0x29 : fault == BrokerFault.DeniesWildcards ? (byte)0x28 : (byte)0x2A;
                return [[packet[0], (byte)(packet[1] + 2), packet[2], packet[3], (byte)(packet[4] + 2), property, 0, .. packet[5..]]];
            case PacketType.SubAck when fault == BrokerFault.RefusesSubscriptions:
                return [[.. packet[..^1], 0x87]];
            case PacketType.PubAck when fault == BrokerFault.RefusesPublishes:
                return [[0x40, 3, packet[2], packet[3], 0x87]];
            case PacketType.Publish:
                lock (_held)
                {
                    return Change(connection, packet, Encoding.ASCII.GetString(packet));
                }

            default:
                return [packet];
        }
    }

    private IReadOnlyList<byte[]> Change(int connection, byte[] packet, string text)
    {
        bool isOrdered = text.Contains("/order/x", StringComparison.Ordinal);
        bool isRetained = (packet[0] & 1) != 0;
        switch (fault)
        {
            case BrokerFault.LosesMessages when isOrdered && text.EndsWith('7'):
            case BrokerFault.KeepsNoRetained when isRetained:
            case BrokerFault.FallsSilent when text.Contains("/end/Shared", StringComparison.Ordinal):
                return [];
            case BrokerFault.LowersQoS when isOrdered:
                int packetId = 4 + packet[3];
                return [Shortened([(byte)(packet[0] & 0xF9), .. packet[1..]], packetId, 2, isProperty: false)];
            case BrokerFault.SendsNoIdentifiers when isOrdered:
                return [Shortened(packet, packet.AsSpan().IndexOf(OrderIdentifier), 3, isProperty: true)];
            case BrokerFault.LosesUserProperties when isOrdered:
                return [Shortened(packet, packet.AsSpan().IndexOf("\u0026\0\u0005probe"u8), 13, isProperty: true)];
            case BrokerFault.TurnsOrder when isOrdered:
                if (!_held.Remove(connection, out byte[]? before))
                {
                    _held[connection] = packet;
                    return [];
                }

                return [packet, before];
            case BrokerFault.GivesEachMemberACopy when text.Contains("/shared", StringComparison.Ordinal):
                return [packet, packet];
            case BrokerFault.DeletesNoRetained when isRetained:
                _held[connection] = packet;
                return [packet];
            case BrokerFault.DeletesNoRetained when text.Contains("/end/Cleared", StringComparison.Ordinal) && _held.Remove(connection, out byte[]? kept):
                return [kept, packet];
            default:
                return [packet];
        }
    }

    /// <summary>The packet without some of its bytes, its lengths put right.</summary>
    private static byte[] Shortened(byte[] packet, int at, int count, bool isProperty)
    {
        byte[] changed = [.. packet];
        changed[1] -= (byte)count;
        if (isProperty)
        {
            // Behind two bytes of header, the topic with its length, and the packet identifier.
            changed[4 + packet[3] + 2] -= (byte)count;
        }

        return [.. changed[..at], .. changed[(at + count)..]];
    }
}
