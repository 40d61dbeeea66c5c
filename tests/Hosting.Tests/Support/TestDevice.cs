using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Hosting.Tests.Support;

/// <summary>A device on a TCP connection: writes packets, reads packets.</summary>
internal sealed class TestDevice(Stream stream) : IAsyncDisposable
{
    private readonly ProtocolVersion _version = ProtocolVersion.Mqtt50;

    /// <summary>Opens the connection; nothing is sent yet.</summary>
    public static async Task<TestDevice> DialAsync(EndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(endPoint).WaitAsync(Deadline.Long);
        return new TestDevice(new NetworkStream(socket, ownsSocket: true));
    }

    /// <summary>Opens it and connects.</summary>
    public static async Task<TestDevice> ConnectAsync(
        EndPoint endPoint, string clientId, string? willTopic = null, uint willDelay = 0, uint expiry = 0)
    {
        TestDevice device = await DialAsync(endPoint);
        await device.SendConnectAsync(clientId, willTopic, willDelay, expiry);
        Assert.Equal(ReasonCode.Success, await device.ReadConnAckAsync());
        return device;
    }

    public Task SendConnectAsync(
        string clientId, string? willTopic = null, uint willDelay = 0, uint expiry = 0, bool cleanStart = true)
    {
        var output = new ArrayBufferWriter<byte>();
        PacketWriter.WriteConnect(output, new ConnectPacket
        {
            Version = _version,
            ClientId = Encoding.UTF8.GetBytes(clientId),
            CleanStart = cleanStart,
            SessionExpiryInterval = expiry,
            ReceiveMaximum = 100,
            RequestProblemInformation = true,
            HasWill = willTopic is not null,
            WillTopic = Encoding.UTF8.GetBytes(willTopic ?? ""),
            WillPayload = "gone"u8,
            WillProperties = new WillProperties { DelayInterval = willDelay },
        });
        return SendAsync(output.WrittenMemory);
    }

    public async Task SubscribeAsync(string filter)
    {
        var output = new ArrayBufferWriter<byte>();
        PacketWriter.WriteSubscribe(output, _version, 1, Encoding.UTF8.GetBytes(filter), SubscriptionOptions.Create(QoS.AtLeastOnce, false, false, RetainHandling.SendAtSubscribe), 0);
        await SendAsync(output.WrittenMemory);
        Assert.Equal(PacketType.SubAck, (await ReadAsync()).Type);
    }

    public async Task PublishAsync(string topic, string payload)
    {
        var output = new ArrayBufferWriter<byte>();
        PacketWriter.WritePublish(output, _version, new PublishPacket
        {
            QoS = QoS.AtLeastOnce,
            PacketId = 7,
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = Encoding.UTF8.GetBytes(payload),
        });
        await SendAsync(output.WrittenMemory);
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        await stream.WriteAsync(bytes);
        await stream.FlushAsync();
    }

    /// <summary>The next packet: type and body.</summary>
    public async Task<(PacketType Type, byte[] Body)> ReadAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline.Long);
        byte[] one = new byte[1];
        await stream.ReadExactlyAsync(one, deadline.Token);
        var type = (PacketType)(one[0] >> 4);
        int length = 0;
        int shift = 0;
        do
        {
            await stream.ReadExactlyAsync(one, deadline.Token);
            length |= (one[0] & 0x7F) << shift;
            shift += 7;
        }
        while ((one[0] & 0x80) != 0);
        byte[] body = new byte[length];
        await stream.ReadExactlyAsync(body, deadline.Token);
        return (type, body);
    }

    /// <summary>Session Present of a CONNACK that accepts.</summary>
    public async Task<bool> ReadSessionPresentAsync()
    {
        (PacketType type, byte[] body) = await ReadAsync();
        Assert.Equal(PacketType.ConnAck, type);
        Assert.Equal(ReasonCode.Success, (ReasonCode)body[1]);
        return (body[0] & 1) == 1;
    }

    public async Task<ReasonCode> ReadConnAckAsync()
    {
        (PacketType type, byte[] body) = await ReadAsync();
        Assert.Equal(PacketType.ConnAck, type);
        return (ReasonCode)body[1];
    }

    /// <summary>The topic and payload of the next PUBLISH; other packets before it are passed over.</summary>
    public async Task<(string Topic, string Payload)> ReadPublishAsync()
    {
        while (true)
        {
            (PacketType type, byte[] body) = await ReadAsync();
            if (type == PacketType.Publish)
            {
                int topic = (body[0] << 8) | body[1];
                string text = Encoding.UTF8.GetString(body);
                return (Encoding.UTF8.GetString(body, 2, topic), text);
            }
        }
    }

    /// <summary>The reason of a DISCONNECT that must come, and the end of the connection after it.</summary>
    public async Task<ReasonCode> ReadDisconnectAsync()
    {
        (PacketType type, byte[] body) = await ReadAsync();
        Assert.Equal(PacketType.Disconnect, type);
        Assert.True(await IsClosedAsync());
        return (ReasonCode)body[0];
    }

    /// <summary>Waits for the end of the connection; false when bytes come instead.</summary>
    public async Task<bool> IsClosedAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline.Long);
        try
        {
            return await stream.ReadAsync(new byte[1], deadline.Token) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
