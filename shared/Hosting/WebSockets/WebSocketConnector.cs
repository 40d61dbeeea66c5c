using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Trunkline.Transports;

namespace Trunkline.Hosting;

/// <summary>Dials MQTT over WebSocket on top of another connector, TCP or TLS. Any thread.</summary>
/// <param name="inner">Makes the connection below.</param>
/// <param name="host">Host and port for the request's Host header.</param>
/// <param name="path">Path asked for.</param>
/// <param name="timeout">Time from the connection below to the server's answer.</param>
public sealed class WebSocketConnector(ITransportConnector inner, string host, string path, TimeSpan timeout) : ITransportConnector
{
    private const int MaximumAnswerBytes = 16 * 1024;
    private const string AcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <inheritdoc/>
    public string Address { get; } = $"{inner.Address}{path} (WebSocket)";

    /// <inheritdoc/>
    public void Connect(Loop loop, IConnectAttempt attempt) => inner.Connect(loop, new Upgrade(this, attempt));

#pragma warning disable CA5350 // RFC 6455 fixes SHA-1 here; it protects nothing.
    private static string AcceptFor(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + AcceptGuid)));
#pragma warning restore CA5350

    /// <summary>Owns a connection from its request to the answer.</summary>
    private sealed class Upgrade(WebSocketConnector connector, IConnectAttempt attempt) : LoopTimer, IConnectAttempt, IConnectPreamble, ITransportHandler
    {
        private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        private Transport? _transport;

        public void WritePreamble(IBufferWriter<byte> output) => (attempt as IConnectPreamble)?.WritePreamble(output);

        public void OnConnected(Transport transport)
        {
            _transport = transport;
            transport.Handler = this;
            transport.Loop.Timers.Schedule(this, (long)connector.Timeout.TotalMilliseconds);
            transport.Output.Write(Encoding.ASCII.GetBytes(
                $"GET {connector.Path} HTTP/1.1\r\nHost: {connector.Host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + $"Sec-WebSocket-Key: {_key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"));
        }

        public void OnConnectFailed(string reason) => attempt.OnConnectFailed(reason);

        public int OnReceived(ReadOnlySpan<byte> bytes)
        {
            int end = bytes.IndexOf("\r\n\r\n"u8);
            if (end < 0)
            {
                return bytes.Length < MaximumAnswerBytes ? 0 : Fail(bytes, "the answer to the WebSocket request is too long");
            }

            string answer = Encoding.Latin1.GetString(bytes[..end]);
            string status = answer.Split("\r\n", 2)[0];
            if (!status.StartsWith("HTTP/1.1 101", StringComparison.Ordinal))
            {
                return Fail(bytes, $"no WebSocket, the server answers \"{status}\"");
            }

            if (!answer.Contains(AcceptFor(_key), StringComparison.Ordinal))
            {
                return Fail(bytes, "no WebSocket, Sec-WebSocket-Accept is wrong");
            }

            Transport transport = _transport!;
            transport.Loop.Timers.Cancel(this);
            attempt.OnConnected(new WebSocketClientTransport(transport, BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4))));
            return end + 4;
        }

        public void OnWritable()
        {
        }

        public void OnClosed(TransportCloseReason reason)
        {
            _transport!.Loop.Timers.Cancel(this);
            attempt.OnConnectFailed($"{connector.Address}: closed before the WebSocket stood ({reason})");
        }

        protected override void OnDue() => Fail([], $"no WebSocket within {connector.Timeout.TotalSeconds:0.#} s");

        private int Fail(ReadOnlySpan<byte> bytes, string reason)
        {
            Transport transport = _transport!;
            transport.Loop.Timers.Cancel(this);
            transport.Handler = new Ended();
            transport.Close(TransportClose.Abort);
            attempt.OnConnectFailed($"{connector.Address}: {reason}");
            return bytes.Length;
        }
    }

    /// <summary>Hears the end of a connection whose attempt has failed already.</summary>
    private sealed class Ended : ITransportHandler
    {
        public int OnReceived(ReadOnlySpan<byte> bytes) => bytes.Length;

        public void OnWritable()
        {
        }

        public void OnClosed(TransportCloseReason reason)
        {
        }
    }

    private string Host { get; } = host;

    private string Path { get; } = path;

    private TimeSpan Timeout { get; } = timeout;
}
