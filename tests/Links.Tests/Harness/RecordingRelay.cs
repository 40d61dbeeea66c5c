using System.Net;
using System.Net.Sockets;
using Trunkline.Protocol;

namespace Trunkline.Links.Tests;

/// <summary>
/// Stands between links and a broker on loopback and notes, in order, which QoS 1 packet identifiers the broker sent and
/// which the link acknowledged. Of the connection that got most: the others are publish links and probes.
/// </summary>
internal sealed class RecordingRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<(List<ushort> Received, List<ushort> Acknowledged)> _notes = [];
    private readonly List<Task> _tasks = [];
    private readonly int _target;

    public RecordingRelay(int target)
    {
        _target = target;
        _listener.Start();
        _tasks.Add(AcceptAsync());
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What the busiest receiving connection got and acknowledged so far.</summary>
    public (IReadOnlyList<ushort> Received, IReadOnlyList<ushort> Acknowledged) Busiest
    {
        get
        {
            lock (_notes)
            {
                (List<ushort> received, List<ushort> acknowledged) = _notes.MaxBy(notes => notes.Received.Count);
                return ([.. received], [.. acknowledged]);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        try
        {
            await Task.WhenAll(_tasks);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The ends of the relayed connections; nothing is asserted of them.
        }

        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient link = await _listener.AcceptTcpClientAsync(_stop.Token);
            var broker = new TcpClient();
            await broker.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            var notes = (Received: new List<ushort>(), Acknowledged: new List<ushort>());
            lock (_notes)
            {
                _notes.Add(notes);
            }

            lock (_tasks)
            {
                _tasks.Add(PumpAsync(link, broker, PacketType.PubAck, notes.Acknowledged));
                _tasks.Add(PumpAsync(broker, link, PacketType.Publish, notes.Received));
            }
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, PacketType watched, List<ushort> notes)
    {
        var buffer = new byte[64 * 1024];
        int kept = 0;
        try
        {
            while (true)
            {
                int read = await from.GetStream().ReadAsync(buffer.AsMemory(kept), _stop.Token);
                if (read == 0)
                {
                    return;
                }

                // Noted before it is passed on, so that an acknowledgement can never be noted before its message.
                int used = Note(buffer.AsSpan(0, kept + read), watched, notes);
                await to.GetStream().WriteAsync(buffer.AsMemory(kept, read), _stop.Token);
                buffer.AsSpan(used, kept + read - used).CopyTo(buffer);
                kept += read - used;
            }
        }
        finally
        {
            from.Dispose();
            to.Dispose();
        }
    }

    private int Note(ReadOnlySpan<byte> bytes, PacketType watched, List<ushort> notes)
    {
        int used = 0;
        while (used < bytes.Length
            && FrameReader.TryRead(bytes[used..], 0, ProtocolVersion.Mqtt50, out Frame frame, out _) == FrameStatus.Complete)
        {
            used += frame.TotalLength;
            ushort packetId = frame.Type != watched ? (ushort)0
                : watched == PacketType.PubAck && PubAckPacket.TryParse(frame, ProtocolVersion.Mqtt50, out PubAckPacket ack, out _) ? ack.PacketId
                : watched == PacketType.Publish && PublishPacket.TryParse(frame, ProtocolVersion.Mqtt50, PacketSender.Server, out PublishPacket publish, out _) ? publish.PacketId
                : (ushort)0;
            if (packetId != 0)
            {
                lock (_notes)
                {
                    notes.Add(packetId);
                }
            }
        }

        return used;
    }
}
