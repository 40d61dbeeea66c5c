using System.Buffers;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.SystemTests.Infrastructure;

/// <content>What the device sends.</content>
public sealed partial class TestDevice
{
    private static void WriteConnect(IBufferWriter<byte> output, TestDeviceOptions options)
    {
        TestMessage? will = options.Will;
        byte[] users = will is null ? [] : (will with { ResponseTopic = null, CorrelationData = null, ContentType = null, PayloadFormat = null }).EncodeProperties();
        WillProperties properties = new()
        {
            DelayInterval = options.WillDelaySeconds,
            MessageExpiryInterval = will?.ExpirySeconds,
            ContentType = Encode(will?.ContentType),
            ResponseTopic = Encode(will?.ResponseTopic),
            CorrelationData = will?.CorrelationData is byte[] data ? data : default(ReadOnlySpan<byte>),
            PayloadFormatIndicator = will?.PayloadFormat,
            UserProperties = new UserPropertyList(users),
        };
        ConnectPacket packet = new()
        {
            Version = options.Version,
            CleanStart = options.CleanStart,
            KeepAliveSeconds = options.KeepAliveSeconds,
            ClientId = Encoding.UTF8.GetBytes(options.ClientId),
            SessionExpiryInterval = options.SessionExpirySeconds,
            ReceiveMaximum = options.ReceiveMaximum,
            TopicAliasMaximum = options.TopicAliasMaximum,
            MaximumPacketSize = options.MaximumPacketSize,
            HasWill = will is not null,
            WillTopic = Encode(will?.Topic),
            WillPayload = will?.Payload ?? [],
            WillQoS = will?.QoS ?? QoS.AtMostOnce,
            WillRetain = will?.Retain ?? false,
            WillProperties = properties,
        };
        Assert.NotEqual(0, PacketWriter.WriteConnect(output, packet));
    }

    private static ReadOnlySpan<byte> Encode(string? text) => text is null ? default : Encoding.UTF8.GetBytes(text);

    private int WritePublish(IBufferWriter<byte> output, TestMessage message, ushort packetId)
    {
        PublishEncoder encoder = new()
        {
            Version = Options.Version,
            Topic = Encoding.UTF8.GetBytes(message.Topic),
            Payload = message.Payload,
            QoS = message.QoS,
            Retain = message.Retain,
            Duplicate = message.Duplicate,
            PacketId = packetId,
            RemainingExpirySeconds = message.ExpirySeconds,
            ForwardableProperties = message.EncodeProperties(),
        };
        return encoder.Write(output);
    }

    private async Task<IReadOnlyList<ReasonCode>> AskAsync(string what, Func<IBufferWriter<byte>, ushort, int> write)
    {
        ushort id = NextPacketId();
        TaskCompletionSource<IReadOnlyList<ReasonCode>> source = NewSource<IReadOnlyList<ReasonCode>>();
        Assert.True(_acknowledgements.TryAdd(id, source), "A packet id came round while it was in use.");
        if (IsClosed)
        {
            // The end went through what waited before this came.
            source.TrySetException(new IOException($"{ClientId}: {what} cannot come, the connection is closed."));
        }

        await SendAsync(output => Assert.NotEqual(0, write(output, id)));
        return await WaitAsync(source.Task, what);
    }

    private ushort NextPacketId()
    {
        while (true)
        {
            ushort id = (ushort)Interlocked.Increment(ref _lastPacketId);
            if (id != 0)
            {
                return id;
            }
        }
    }

    private async Task SendAsync(Action<IBufferWriter<byte>> write)
    {
        ArrayBufferWriter<byte> output = new();
        write(output);
        using CancellationTokenSource cancellation = new(Options.Deadline);
        await _writing.WaitAsync(cancellation.Token);
        try
        {
            await _stream.WriteAsync(output.WrittenMemory, cancellation.Token);
            await _stream.FlushAsync(cancellation.Token);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task<T> WaitAsync<T>(Task<T> task, string what)
    {
        Task first = await Task.WhenAny(task, Task.Delay(Options.Deadline));
        if (first != task)
        {
            Assert.Fail(
                $"{ClientId}: {what} did not come within {Options.Deadline.TotalSeconds} s; the connection is "
                + $"{(IsClosed ? "closed" : "open")}. Received, newest last: {string.Join(" | ", _received.TakeLast(20))}");
        }

        return await task;
    }
}
