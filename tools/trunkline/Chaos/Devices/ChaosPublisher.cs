using System.Buffers;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Tool.Chaos;

/// <summary>
/// Publishes streams of numbered messages over a connection that comes and goes, as a device with a persistent session
/// does: what is not acknowledged is sent again with DUP under its packet id, before anything new [MQTT-4.4.0-1].
/// </summary>
internal sealed class ChaosPublisher : IChaosClientOwner, IDisposable
{
    private const int Window = 8;

    private readonly ChaosLedger _ledger;
    private readonly SemaphoreSlim _room;
    private readonly Lock _gate = new();
    private readonly LinkedList<Pending> _pending = new();
    private ushort _lastPacketId;
    private bool _wasConnected;
    private bool _mayWrite;

    public ChaosPublisher(ChaosClientOptions options, ChaosLedger ledger, int streams, TimeProvider time)
    {
        _ledger = ledger;
        _room = new SemaphoreSlim(Window * streams);
        Client = new ChaosClient(options, this, time);
    }

    public ChaosClient Client { get; }

    /// <summary>Messages that are not acknowledged yet.</summary>
    public int Unacknowledged
    {
        get
        {
            lock (_gate)
            {
                return _pending.Count;
            }
        }
    }

    /// <summary>One stream: messages 1, 2, 3 ... on one topic until cancelled.</summary>
    public async Task PublishAsync(string stream, QoS qos, TimeSpan interval, TimeProvider time, CancellationToken cancellation)
    {
        for (int number = 1; !cancellation.IsCancellationRequested; number++)
        {
            await _room.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellation.IsCancellationRequested)
            {
                return;
            }

            await SendNewAsync(stream, number, qos);
            await Task.Delay(interval, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose()
    {
        Client.Dispose();
        _room.Dispose();
    }

    /// <inheritdoc/>
    public void Connected(bool isSessionPresent, IBufferWriter<byte> output)
    {
        lock (_gate)
        {
            if (!isSessionPresent && _wasConnected)
            {
                _ledger.LoseSession(Client.ClientId);
                ForgetQoS2();
            }

            _wasConnected = true;
            ArrayBufferWriter<byte> again = new();
            foreach (Pending pending in _pending)
            {
                if (pending.IsReleased)
                {
                    PacketWriter.WritePubRel(again, Client.Version, pending.PacketId);
                }
                else
                {
                    Write(again, pending);
                    pending.IsDuplicate = true;
                }
            }

            // Begun under the lock, before anything new may be: left to be sent later, a new message would overtake it.
            _ = Client.SendAsync(again.WrittenMemory);
            _mayWrite = true;
        }
    }

    /// <inheritdoc/>
    public void Received(in Frame frame, IBufferWriter<byte> output)
    {
        switch (frame.Type)
        {
            case PacketType.PubAck when PubAckPacket.TryParse(frame, Client.Version, out PubAckPacket packet, out _):
                Complete(packet.PacketId, packet.ReasonCode, isOver: true);
                break;
            case PacketType.PubRec when PubRecPacket.TryParse(frame, Client.Version, out PubRecPacket packet, out _):
                Complete(packet.PacketId, packet.ReasonCode, ReasonCodes.IsError(packet.ReasonCode));
                if (!ReasonCodes.IsError(packet.ReasonCode))
                {
                    PacketWriter.WritePubRel(output, Client.Version, packet.PacketId);
                }

                break;
            case PacketType.PubComp when PubCompPacket.TryParse(frame, Client.Version, out PubCompPacket packet, out _):
                // 0x92 answers a PUBREL whose exchange the server has finished already: it is over all the same.
                Complete(packet.PacketId, ReasonCode.Success, isOver: true);
                break;
        }
    }

    /// <inheritdoc/>
    public void Lost()
    {
        lock (_gate)
        {
            // What is pending waits for the next connection.
            _mayWrite = false;
        }
    }

    private async Task SendNewAsync(string stream, int number, QoS qos)
    {
        ArrayBufferWriter<byte> output = new();
        Task<bool> sent;
        lock (_gate)
        {
            Pending pending = new(stream, number, qos, NextPacketId());
            _pending.AddLast(pending);
            if (!_mayWrite)
            {
                // It goes out with the next connection, behind what was there before it.
                return;
            }

            Write(output, pending);
            pending.IsDuplicate = true;

            // Begun under the lock: the order on the wire is the order of the numbers.
            sent = Client.SendAsync(output.WrittenMemory);
        }

        await sent;
    }

    private void Complete(ushort packetId, ReasonCode reason, bool isOver)
    {
        lock (_gate)
        {
            LinkedListNode<Pending>? node = _pending.First;
            while (node is not null && node.Value.PacketId != packetId)
            {
                node = node.Next;
            }

            if (node is null)
            {
                return;
            }

            Pending pending = node.Value;
            if (ReasonCodes.IsError(reason))
            {
                _ledger.Refuse();
            }
            else if (!pending.IsReleased)
            {
                _ledger.Acknowledge(pending.Stream, pending.Number);
            }

            pending.IsReleased = true;
            if (isOver)
            {
                _pending.Remove(node);
                _room.Release();
            }
        }
    }

    /// <summary>Without a session nobody could tell a repeat: what was on its way at QoS 2 is given up, unacknowledged.</summary>
    private void ForgetQoS2()
    {
        for (LinkedListNode<Pending>? node = _pending.First; node is not null;)
        {
            LinkedListNode<Pending>? next = node.Next;
            if (node.Value is { QoS: QoS.ExactlyOnce, IsDuplicate: true })
            {
                _pending.Remove(node);
                _room.Release();
            }

            node = next;
        }
    }

    private void Write(IBufferWriter<byte> output, Pending pending)
    {
        PublishEncoder encoder = new()
        {
            Version = Client.Version,
            Topic = Encoding.UTF8.GetBytes(pending.Stream),
            Payload = Encoding.UTF8.GetBytes(ChaosLedger.Payload(pending.Stream, pending.Number)),
            QoS = pending.QoS,
            PacketId = pending.PacketId,
            Duplicate = pending.IsDuplicate,
        };
        encoder.Write(output);
    }

    private ushort NextPacketId()
    {
        do
        {
            _lastPacketId++;
        }
        while (_lastPacketId == 0 || _pending.Any(pending => pending.PacketId == _lastPacketId));

        return _lastPacketId;
    }

    private sealed class Pending(string stream, int number, QoS qos, ushort packetId)
    {
        public string Stream { get; } = stream;

        public int Number { get; } = number;

        public QoS QoS { get; } = qos;

        public ushort PacketId { get; } = packetId;

        /// <summary>Whether it may have gone out before.</summary>
        public bool IsDuplicate { get; set; }

        /// <summary>Whether the server has taken it over.</summary>
        public bool IsReleased { get; set; }
    }
}
