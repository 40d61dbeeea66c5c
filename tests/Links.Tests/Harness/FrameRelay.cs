using System.Net;
using System.Net.Sockets;
using Trunkline.Protocol;

namespace Trunkline.Links.Tests;

/// <summary>Stands between links and a broker on loopback and hands every packet of either direction to the class that derives from it.</summary>
internal abstract class FrameRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _pumps = [];
    private readonly Task _accepts;
    private readonly int _target;

    protected FrameRelay(int target)
    {
        _target = target;
        _listener.Start();
        _accepts = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            // Before the listener goes and the pumps are counted: what is being accepted uses the one and adds to the others.
            await _accepts;
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // Cancelled, or a broker that is gone; nothing is asserted of it.
        }

        _listener.Dispose();
        try
        {
            await Task.WhenAll(_pumps);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The ends of the relayed connections; nothing is asserted of them.
        }

        _stop.Dispose();
    }

    /// <summary>
    /// What goes on in the place of a packet, before which it is called; any thread, but for one direction of a connection
    /// one after the other.
    /// </summary>
    protected abstract IReadOnlyList<byte[]> Pass(int connection, bool isFromBroker, byte[] packet);

    private async Task AcceptAsync()
    {
        for (int connection = 0; ; connection++)
        {
            TcpClient link = await _listener.AcceptTcpClientAsync(_stop.Token);
            var broker = new TcpClient();
            try
            {
                await broker.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            }
            catch
            {
                link.Dispose();
                broker.Dispose();
                throw;
            }

            _pumps.Add(PumpAsync(link, broker, connection, isFromBroker: false));
            _pumps.Add(PumpAsync(broker, link, connection, isFromBroker: true));
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, int connection, bool isFromBroker)
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

                kept += read;
                int used = 0;
                while (LengthOf(buffer.AsSpan(used, kept - used)) is > 0 and int length)
                {
                    foreach (byte[] packet in Pass(connection, isFromBroker, buffer.AsSpan(used, length).ToArray()))
                    {
                        await to.GetStream().WriteAsync(packet, _stop.Token);
                    }

                    used += length;
                }

                buffer.AsSpan(used, kept - used).CopyTo(buffer);
                kept -= used;
            }
        }
        finally
        {
            from.Dispose();
            to.Dispose();
        }
    }

    private static int LengthOf(ReadOnlySpan<byte> bytes) =>
        FrameReader.TryRead(bytes, 0, ProtocolVersion.Mqtt50, out Frame frame, out _) == FrameStatus.Complete ? frame.TotalLength : 0;
}
