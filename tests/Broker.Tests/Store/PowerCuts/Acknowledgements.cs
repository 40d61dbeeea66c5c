using System.Globalization;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>What a recorded broker said to publishers, and when: acknowledgements, and the terms that links were told.</summary>
internal sealed class Acknowledgements
{
    private readonly Dictionary<ushort, long> _at = [];
    private readonly List<(long At, ulong Term)> _terms = [];

    /// <param name="sends">Sends as recorded; each holds whole packets.</param>
    public Acknowledgements(IEnumerable<SystemCall> sends)
    {
        var told = new Dictionary<int, ulong>();
        var publishers = new HashSet<int>();
        foreach (SystemCall call in sends)
        {
            byte[] bytes = [.. call.Strings().SelectMany(part => part)];
            if (!IsToPublisher(call.Descriptor, bytes, publishers))
            {
                continue;
            }

            int used = 0;
            while (FrameReader.TryRead(bytes.AsSpan(used), 0, out Frame frame, out _) == FrameStatus.Complete)
            {
                used += frame.TotalLength;
                Take(frame, call, told);
            }

            Assert.True(used == bytes.Length, "a packet was sent in two pieces: this is not modelled");
        }
    }

    /// <summary>How many there are.</summary>
    public int Count => _at.Count;

    /// <summary>Whether the acknowledgement of a message may have left: its first one, for a repeat gets another.</summary>
    public bool HadLeft(CutMessage message, long moment) => _at.TryGetValue(message.PacketId, out long at) && at <= moment;

    /// <summary>The highest term in which something was acknowledged to a link that had been told of it; 0 for none.</summary>
    public ulong HighestTerm(long moment) => _terms.Where(term => term.At <= moment).Select(term => term.Term).DefaultIfEmpty().Max();

    public static ushort PacketIdOf(in Frame frame) => (ushort)((frame.Body[0] << 8) | frame.Body[1]);

    /// <summary>A connection's first bytes tell whose it is: CONNACK goes to publishers, HTTP to whoever reads the counters.</summary>
    private static bool IsToPublisher(int descriptor, ReadOnlySpan<byte> bytes, HashSet<int> publishers)
    {
        const byte connAck = (byte)PacketType.ConnAck << 4;
        if (bytes.StartsWith("HTTP/"u8))
        {
            publishers.Remove(descriptor);
        }
        else if (bytes[0] == connAck)
        {
            publishers.Add(descriptor);
        }

        return publishers.Contains(descriptor);
    }

    private void Take(in Frame frame, SystemCall call, Dictionary<int, ulong> told)
    {
        if (frame.Type == PacketType.ConnAck)
        {
            Assert.True(ConnAckPacket.TryParse(frame, ProtocolVersion.Mqtt50, out ConnAckPacket packet, out _));
            Assert.Equal(ReasonCode.Success, packet.ReasonCode);
            told.Remove(call.Descriptor);
            if (packet.UserProperties.TryFind("tl"u8, out ReadOnlySpan<byte> text))
            {
                string term = Encoding.ASCII.GetString(text).Split(';').Single(field => field[0] == 't')[1..];
                told[call.Descriptor] = ulong.Parse(term, CultureInfo.InvariantCulture);
            }
        }
        else if (frame.Type is PacketType.PubAck or PacketType.PubRec)
        {
            // Nothing behind the packet id, or a reason: only success is short, and 0x10 (nobody subscribes) counts as success.
            Assert.True(frame.Body.Length == 2 || frame.Body[2] < 0x80, "a message was refused");
            _at.TryAdd(PacketIdOf(frame), call.Begin);
            if (told.TryGetValue(call.Descriptor, out ulong term))
            {
                _terms.Add((call.Begin, term));
            }
        }
    }
}
