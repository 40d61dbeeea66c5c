using System.Net;
using System.Net.Sockets;

namespace Trunkline.SystemTests.Faults;

/// <summary>A bare TCP connection: sends any bytes, collects whatever comes back until the server closes.</summary>
public sealed class RawConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private RawConnection()
    {
    }

    public static async Task<RawConnection> OpenAsync(int port, IPAddress? from = null)
    {
        RawConnection connection = new();
        if (from is not null)
        {
            connection._socket.Bind(new IPEndPoint(from, 0));
        }

        await connection._socket.ConnectAsync(IPAddress.Loopback, port);
        return connection;
    }

    /// <summary>Sends; a server that has closed already is no error here, its answer tells.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0)
            {
                bytes = bytes[await _socket.SendAsync(bytes)..];
            }
        }
        catch (SocketException)
        {
            // Reading tells how it ended.
        }
    }

    /// <summary>All bytes until the server closes; fails the test when it does not.</summary>
    public Task<byte[]> ReadToEndAsync(TimeSpan? deadline = null) =>
        Eventually.InTimeAsync(ReadAllAsync(), "the server closing the connection", deadline);

    /// <summary>So many bytes; fewer when the server closes before.</summary>
    public async Task<byte[]> ReadAsync(int count)
    {
        byte[] bytes = new byte[count];
        int held = 0;
        while (held < count)
        {
            int read = await Eventually.InTimeAsync(ReceiveAsync(bytes.AsMemory(held)), $"{count} bytes ({held} came)");
            if (read == 0)
            {
                break;
            }

            held += read;
        }

        return bytes[..held];
    }

    /// <summary>Says that nothing more will come (FIN), and goes on reading.</summary>
    public void EndSending()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The server has closed already.
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task<byte[]> ReadAllAsync()
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[4096];
        while (true)
        {
            int read = await ReceiveAsync(buffer);
            if (read == 0)
            {
                return all.ToArray();
            }

            all.Write(buffer, 0, read);
        }
    }

    // A reset is an end, too.
    private async Task<int> ReceiveAsync(Memory<byte> buffer)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer);
        }
        catch (SocketException)
        {
            return 0;
        }
    }
}
