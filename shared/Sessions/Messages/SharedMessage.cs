using System.Buffers;
using Trunkline.Protocol;

namespace Trunkline.Sessions;

/// <summary>
/// A message on its way to sessions: one copy of its bytes, held by every queue and window that still needs it.
/// Pooled and reference counted; the count may be changed from any thread, everything else is written once by the
/// renter before the message is shared.
/// </summary>
/// <remarks>
/// The buffer holds topic, forwardable properties and payload in that order, so that encoding reads one block.
/// </remarks>
public sealed class SharedMessage
{
    /// <summary>Buffers up to this many bytes stay with the pooled object; larger ones go back to the array pool.</summary>
    internal const int KeptBufferBytes = 4096;

    private readonly MessagePool _pool;
    private byte[] _buffer = [];
    private int _topicLength;
    private int _propertiesLength;
    private int _payloadLength;
    private int _references;

    internal SharedMessage(MessagePool pool) => _pool = pool;

    internal SharedMessage? NextFree { get; set; }

    /// <summary>The topic name, UTF-8.</summary>
    public ReadOnlySpan<byte> Topic => _buffer.AsSpan(0, _topicLength);

    /// <summary>The forwardable PUBLISH properties, encoded, without aliases, expiry, identifiers or our own.</summary>
    public ReadOnlySpan<byte> Properties => _buffer.AsSpan(_topicLength, _propertiesLength);

    /// <summary>The application message.</summary>
    public ReadOnlySpan<byte> Payload => _buffer.AsSpan(_topicLength + _propertiesLength, _payloadLength);

    /// <summary>Bytes of topic, properties and payload: what this message counts for against a byte limit.</summary>
    public int Size => _topicLength + _propertiesLength + _payloadLength;

    /// <summary>The QoS it was published with, before any subscription lowered it.</summary>
    public QoS QoS { get; private set; }

    /// <summary>The RETAIN flag it was published with.</summary>
    public bool Retain { get; private set; }

    /// <summary>When it expires on the loops' monotonic clock in ms; <see cref="long.MaxValue"/> for never.</summary>
    public long ExpiresAtMs { get; private set; }

    /// <summary>Identifies the publishing session for No Local; 0 when unknown.</summary>
    public ulong Origin { get; private set; }

    /// <summary>The group whose log holds it, or -1.</summary>
    public int Group { get; set; } = -1;

    /// <summary>Its place in that log; <see cref="LogPosition.None"/> at QoS 0 and from foreign brokers.</summary>
    public LogPosition Position { get; set; }

    /// <summary>Takes one more reference. Any thread that holds one already.</summary>
    public void AddReference() => Interlocked.Increment(ref _references);

    /// <summary>Gives one reference back; the last one returns the message to its pool.</summary>
    public void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        if (left == 0)
        {
            _pool.Return(this);
        }
        else if (left < 0)
        {
            throw new InvalidOperationException("A message was released more often than it was held.");
        }
    }

    internal void Fill(in MessageContent content)
    {
        _topicLength = content.Topic.Length;
        _propertiesLength = content.Properties.Length;
        _payloadLength = content.Payload.Length;
        int size = Size;
        if (_buffer.Length < size)
        {
            _buffer = size <= KeptBufferBytes
                ? GC.AllocateUninitializedArray<byte>(int.Max(128, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)size)))
                : ArrayPool<byte>.Shared.Rent(size);
        }

        content.Topic.CopyTo(_buffer);
        content.Properties.CopyTo(_buffer.AsSpan(_topicLength));
        content.Payload.CopyTo(_buffer.AsSpan(_topicLength + _propertiesLength));
        QoS = content.QoS;
        Retain = content.Retain;
        ExpiresAtMs = content.ExpiresAtMs;
        Origin = content.Origin;
        Group = -1;
        Position = default;
        _references = 1;
    }

    internal void DropLargeBuffer()
    {
        if (_buffer.Length > KeptBufferBytes)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }
}
