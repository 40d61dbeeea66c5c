using Trunkline.Protocol;
using Trunkline.Transports;

namespace Trunkline.Links.Tests;

/// <summary>A broker of ours that says in CONNACK what the test wants and answers nothing but PINGREQ; it notes what it got.</summary>
internal sealed class ScriptedPeer(bool sessionPresent = false, ushort? serverKeepAlive = null) : IConnectionAcceptor
{
    /// <summary>The client identifiers of the CONNECT packets, each with the loop's time.</summary>
    public List<ConnectSeen> Connects { get; } = [];

    /// <summary>When each PINGREQ came.</summary>
    public List<long> PingsMs { get; } = [];

    /// <summary>Connections that ended.</summary>
    public int Closed { get; private set; }

    public void OnAccepted(Transport transport) => transport.Handler = new Connection(this, transport);

    internal sealed record ConnectSeen(bool CleanStart, ushort KeepAliveSeconds, ushort TopicAliasMaximum, ushort ReceiveMaximum);

    private sealed class Connection(ScriptedPeer peer, Transport transport) : ITransportHandler
    {
        private readonly byte[] _buffer = new byte[64];

        public int OnReceived(ReadOnlySpan<byte> bytes)
        {
            int used = 0;
            while (used < bytes.Length
                && FrameReader.TryRead(bytes[used..], 0, ProtocolVersion.Mqtt50, out Frame frame, out _) == FrameStatus.Complete)
            {
                used += frame.TotalLength;
                if (frame.Type == PacketType.PingReq)
                {
                    peer.PingsMs.Add(transport.Loop.NowMs);
                    PacketWriter.WritePingResp(transport.Output);
                }
                else if (ConnectPacket.TryParse(frame, out ConnectPacket connect, out _))
                {
                    peer.Connects.Add(new ConnectSeen(connect.CleanStart, connect.KeepAliveSeconds, connect.TopicAliasMaximum, connect.ReceiveMaximum));
                    Answer();
                }
            }

            return used;
        }

        public void OnWritable()
        {
        }

        public void OnClosed(TransportCloseReason reason) => peer.Closed++;

        private void Answer()
        {
            var properties = new UserPropertyBuilder(_buffer);
            properties.TryAdd("tl"u8, "v1;t2;iabc"u8);
            PacketWriter.WriteConnAck(transport.Output, ProtocolVersion.Mqtt50, new ConnAckPacket
            {
                SessionPresent = peer.IsPresent,
                ServerKeepAliveSeconds = peer.KeepAlive,
                UserProperties = properties.List,
                RetainAvailable = true,
                ReceiveMaximum = 65_535,
                MaximumQoS = QoS.ExactlyOnce,
                WildcardSubscriptionAvailable = true,
                SubscriptionIdentifiersAvailable = true,
                SharedSubscriptionAvailable = true,
            });
        }
    }

    private bool IsPresent => sessionPresent;

    private ushort? KeepAlive => serverKeepAlive;
}
