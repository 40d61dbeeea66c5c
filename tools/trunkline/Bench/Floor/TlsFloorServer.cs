using System.Net;
using System.Net.Sockets;

namespace Trunkline.Tool.Bench.Floor;

/// <summary>
/// What TLS costs at least: OpenSSL on blocking descriptors, set as lean as it can be (no session cache, no tickets,
/// buffers released when idle), and per connection nothing of ours but two numbers in a list. Answers CONNECT and SUBSCRIBE
/// of MQTT 3.1.1, one connection after the other, then holds it. One thread.
/// </summary>
internal sealed class TlsFloorServer(string certificate, string key)
{
    private const int Backlog = 4096;

    private static readonly byte[] ConnAck = [0x20, 2, 0, 0];

    private readonly List<(int Descriptor, nint Ssl)> _held = [];
    private readonly byte[] _buffer = new byte[4096];

    /// <summary>Serves until it is told to end. Returns the exit code.</summary>
    public int Run(int port, CancellationToken cancellation)
    {
        nint context = OpenSsl.CreateContext(certificate, key);
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(Backlog);
        using CancellationTokenRegistration end = cancellation.Register(() => OpenSsl.StopAccepting((int)listener.Handle));
        while (!cancellation.IsCancellationRequested)
        {
            int descriptor = OpenSsl.Accept((int)listener.Handle);
            if (descriptor < 0)
            {
                break;
            }

            if (Greet(context, descriptor) is nint ssl)
            {
                _held.Add((descriptor, ssl));
            }
        }

        return ExitCodes.Success;
    }

    private nint? Greet(nint context, int descriptor)
    {
        nint ssl = OpenSsl.New(context, descriptor);
        if (OpenSsl.Handshake(ssl) && Answer(ssl, ConnAck) && Read(ssl) > 3)
        {
            // SUBSCRIBE shorter than 128 bytes: type, length, packet identifier.
            byte[] subAck = [0x90, 3, _buffer[2], _buffer[3], 0];
            if (OpenSsl.Write(ssl, subAck))
            {
                return ssl;
            }
        }

        OpenSsl.Free(ssl, descriptor);
        return null;
    }

    private bool Answer(nint ssl, byte[] answer) => Read(ssl) > 0 && OpenSsl.Write(ssl, answer);

    private int Read(nint ssl) => OpenSsl.Read(ssl, _buffer);
}
