using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Trunkline.Protocol;

namespace Trunkline.Broker.Tests.Store.PowerCuts;

/// <summary>One message of the load; its publisher and number travel with it as a user property.</summary>
internal sealed record CutMessage(CutPublisher By, int Number, string Topic, int PayloadBytes)
{
    /// <summary>What says which message this is.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{By.Index} {Number}");

    /// <summary>Tells all messages apart, also in acknowledgements.</summary>
    public ushort PacketId => (ushort)((By.Index * CutPublisher.NumbersEach) + Number);

    /// <summary>What a publish link says beside it.</summary>
    public string LinkText => string.Create(CultureInfo.InvariantCulture, $"n{Number}") + (By.OriginalQoS == QoS.ExactlyOnce ? ";q2" : "");

    /// <summary>Whether it removes the retained message of its topic.</summary>
    public bool Removes => PayloadBytes == 0;

    public string Payload => new('x', PayloadBytes);
}

/// <summary>
/// Publishes to a broker process as fast as it acknowledges, some messages on the way: a publish link, which after a break sends
/// again under their numbers what was not acknowledged, or an ordinary client, which does not.
/// </summary>
internal sealed class CutPublisher(int index, int seed)
{
    /// <summary>Packet ids that each publisher has for itself.</summary>
    public const int NumbersEach = 10_000;

    private const int Window = 8;
    private readonly Random _random = new(seed + index);
    private readonly Queue<CutMessage> _open = new();

    public int Index { get; } = index;

    public bool IsLink { get; init; }

    public bool Retains { get; init; }

    /// <summary>An ordinary client publishes at it; a link's messages say so.</summary>
    public QoS OriginalQoS { get; init; } = QoS.AtLeastOnce;

    /// <summary>The first level of its topics.</summary>
    public required string Tenant { get; init; }

    public int TopicCount { get; init; } = 3;

    public int PayloadMaximum { get; init; } = 400;

    public string Node => string.Create(CultureInfo.InvariantCulture, $"n{Index}");

    /// <summary>Everything it sent, in order.</summary>
    public List<CutMessage> Sent { get; } = [];

    /// <summary>Publishes until the connection breaks or so many are sent and acknowledged.</summary>
    /// <param name="port">The broker's.</param>
    /// <param name="highestTerm">The highest term that a link says to know.</param>
    /// <param name="count">How many.</param>
    /// <param name="acknowledged">Told of each acknowledgement.</param>
    /// <param name="pace">How far it may go; null for without a stop.</param>
    public async Task RunAsync(int port, ulong highestTerm, int count, Action acknowledged, PublishingPace? pace = null)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync("127.0.0.1", port);
        NetworkStream stream = client.GetStream();
        var output = new ArrayBufferWriter<byte>();
        Connect(output, highestTerm);
        CutMessage[] again = IsLink ? [.. _open] : [];
        if (!IsLink)
        {
            _open.Clear();
        }

        foreach (CutMessage message in again)
        {
            Write(output, message);
        }

        int left = count;
        int Allowed() => pace is null ? int.MaxValue : pace.Allowed;
        byte[] input = new byte[64 * 1024];
        int used = 0;
        try
        {
            while (left > 0 || _open.Count > 0)
            {
                for (; left > 0 && _open.Count < Window && count - left < Allowed(); left--)
                {
                    Write(output, Next());
                }

                await stream.WriteAsync(output.WrittenMemory);
                output.ResetWrittenCount();
                if (_open.Count == 0)
                {
                    await pace!.MoreThanAsync(count - left);
                    continue;
                }

                int read = await stream.ReadAsync(input.AsMemory(used));
                if (read == 0)
                {
                    return;
                }

                used = Take(input, used + read, output, acknowledged);
            }

            await stream.WriteAsync(output.WrittenMemory);
        }
        catch (IOException)
        {
            // The broker was killed.
        }
    }

    private CutMessage Next()
    {
        int number = Sent.Count + 1;
        Assert.True(number < NumbersEach, "the numbers of a publisher are used up");
        int bytes = Retains && _random.Next(6) == 0 ? 0 : 1 + _random.Next(PayloadMaximum);
        var message = new CutMessage(this, number, $"{Tenant}/{_random.Next(TopicCount)}", bytes);
        Sent.Add(message);
        _open.Enqueue(message);
        return message;
    }

    private void Connect(ArrayBufferWriter<byte> output, ulong highestTerm)
    {
        var properties = new UserPropertyBuilder(new byte[256]);
        if (IsLink)
        {
            properties.TryAdd("tl"u8, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"v1;kp;d{Node};l{Index};h{highestTerm}")));
        }

        PacketWriter.WriteConnect(output, new ConnectPacket
        {
            Version = ProtocolVersion.Mqtt50,
            ClientId = Encoding.ASCII.GetBytes($"publisher-{Index}"),
            CleanStart = true,
            ReceiveMaximum = 65_535,
            UserProperties = properties.List,
            RequestProblemInformation = true,
        });
    }

    private void Write(ArrayBufferWriter<byte> output, CutMessage message)
    {
        var properties = new UserPropertyBuilder(new byte[256]);
        properties.TryAdd("id"u8, Encoding.ASCII.GetBytes(message.Name));
        if (IsLink)
        {
            properties.TryAdd("tl"u8, Encoding.ASCII.GetBytes(message.LinkText));
        }

        new PublishEncoder
        {
            Version = ProtocolVersion.Mqtt50,
            Topic = Encoding.ASCII.GetBytes(message.Topic),
            Payload = Encoding.ASCII.GetBytes(message.Payload),
            ForwardableProperties = properties.Block,
            QoS = IsLink ? QoS.AtLeastOnce : OriginalQoS,
            Retain = Retains,
            PacketId = message.PacketId,
        }.Write(output);
    }

    /// <summary>Takes whole packets; what is left stands at the beginning then, and how much is returned.</summary>
    private int Take(byte[] input, int length, ArrayBufferWriter<byte> output, Action acknowledged)
    {
        int used = 0;
        while (FrameReader.TryRead(input.AsSpan(used, length - used), 0, out Frame frame, out _) == FrameStatus.Complete)
        {
            used += frame.TotalLength;
            if (frame.Type is not (PacketType.PubAck or PacketType.PubRec))
            {
                continue;
            }

            ushort packetId = Acknowledgements.PacketIdOf(frame);
            Assert.Equal(_open.Dequeue().PacketId, packetId);
            acknowledged();
            if (frame.Type == PacketType.PubRec)
            {
                PacketWriter.WritePubRel(output, ProtocolVersion.Mqtt50, packetId);
            }
        }

        input.AsSpan(used, length - used).CopyTo(input);
        return length - used;
    }
}
