using System.Text;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Faults;

public sealed partial class FaultDevice
{
    /// <summary>Subscribes and returns SUBACK's code.</summary>
    /// <exception cref="IOException">The connection ended first.</exception>
    public async Task<ReasonCode> SubscribeAsync(string filter, QoS qos)
    {
        ushort packetId = NextPacketId();
        Task<ReasonCode> answer = Expect(packetId);
        await SendAsync(Packets.Subscribe(_options.Version, filter, qos, packetId));
        ReasonCode code = await Eventually.InTimeAsync(answer, $"SUBACK of {filter} for {ClientId}");
        return code == ReasonCode.UnspecifiedError && _ended.Task.IsCompleted
            ? throw new IOException($"{ClientId} got no SUBACK of {filter}: {await _ended.Task}")
            : code;
    }

    /// <summary>
    /// Writes a PUBLISH, once the server's Receive Maximum has room for it: beyond it the connection would be closed. The task
    /// inside completes when the server has taken it over: PUBACK, or PUBREC at QoS 2; at QoS 0 at once. When the connection
    /// ends first it completes with UnspecifiedError.
    /// </summary>
    public async Task<Task<ReasonCode>> StartPublishAsync(string topic, string payload, QoS qos, bool retain = false)
    {
        if (qos != QoS.AtMostOnce)
        {
            await Task.WhenAny(_quota.WaitAsync(), _ended.Task);
        }

        ushort packetId = qos == QoS.AtMostOnce ? (ushort)0 : NextPacketId();
        if (packetId != 0)
        {
            _publishes.TryAdd(packetId, 0);
        }

        Task<ReasonCode> answer = qos == QoS.AtMostOnce ? Task.FromResult(ReasonCode.Success) : Expect(packetId);
        await SendAsync(Packets.Publish(_options.Version, topic, Encoding.UTF8.GetBytes(payload), qos, packetId, retain));
        return answer;
    }

    /// <summary>Publishes and returns the answer's code.</summary>
    public async Task<ReasonCode> PublishAsync(string topic, string payload, QoS qos = QoS.AtLeastOnce, bool retain = false) =>
        await Eventually.InTimeAsync(await StartPublishAsync(topic, payload, qos, retain), $"the acknowledgement of {topic} for {ClientId}");

    /// <summary>Sends PINGREQ and returns when PINGRESP came: everything sent before was read by the server.</summary>
    public async Task PingAsync()
    {
        TaskCompletionSource pong = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _pong = pong;
        await SendAsync(FixedFrames.PingReq.ToArray());
        await Eventually.InTimeAsync(pong.Task, $"PINGRESP for {ClientId}");
    }

    /// <summary>Sends bytes as they are.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        await _writing.WaitAsync();
        try
        {
            while (bytes.Length > 0)
            {
                bytes = bytes[await _socket.SendAsync(bytes)..];
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    private Task<ReasonCode> Expect(ushort packetId)
    {
        TaskCompletionSource<ReasonCode> source = NewSource<ReasonCode>();
        Assert.True(_open.TryAdd(packetId, source), $"packet id {packetId} is in use");
        if (_ended.Task.IsCompleted)
        {
            source.TrySetResult(ReasonCode.UnspecifiedError);
        }

        return source.Task;
    }

    private ushort NextPacketId()
    {
        while (true)
        {
            ushort packetId = (ushort)Interlocked.Increment(ref _lastPacketId);
            if (packetId != 0 && !_open.ContainsKey(packetId))
            {
                return packetId;
            }
        }
    }
}
