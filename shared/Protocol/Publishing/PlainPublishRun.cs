namespace Trunkline.Protocol;

/// <summary>
/// PUBLISH packets without anything beside topic and payload that lie behind each other in a receive buffer and differ in
/// their payloads alone: one topic, one length. A burst of one device is mostly that.
/// <code>
/// Frames:  | prefix | payload | prefix | payload | ...     prefix: first byte, remaining length, topic (5.0: and 0)
///          0        PayloadOffset
///          '---- FrameLength -'
/// </code>
/// </summary>
public readonly ref struct PlainPublishRun
{
    private readonly int _frameLength;
    private readonly int _payloadOffset;

    private PlainPublishRun(ReadOnlySpan<byte> frames, int count, int frameLength, int payloadOffset)
    {
        Frames = frames;
        Count = count;
        _frameLength = frameLength;
        _payloadOffset = payloadOffset;
    }

    /// <summary>All packets, as they stand on the wire.</summary>
    public ReadOnlySpan<byte> Frames { get; }

    /// <summary>How many packets there are; at least one.</summary>
    public int Count { get; }

    /// <summary>Bytes of each payload.</summary>
    public int PayloadLength => _frameLength - _payloadOffset;

    /// <summary>A payload.</summary>
    public ReadOnlySpan<byte> this[int index] => Frames.Slice((index * _frameLength) + _payloadOffset, PayloadLength);

    /// <summary>The packets at the front of a buffer that are like the first one, which was judged.</summary>
    /// <param name="buffer">Received bytes, from the first byte of the first packet.</param>
    /// <param name="frameLength">That packet's length; it lies whole in the buffer.</param>
    /// <param name="payloadOffset">Where its payload begins.</param>
    /// <param name="maximumCount">At most so many packets.</param>
    /// <param name="maximumBytes">At most so many bytes, unless the first packet alone has more.</param>
    public static PlainPublishRun Find(ReadOnlySpan<byte> buffer, int frameLength, int payloadOffset, int maximumCount, int maximumBytes)
    {
        var prefix = buffer[..payloadOffset];
        var limit = Math.Min(buffer.Length, maximumBytes);
        var count = 1;
        var end = frameLength;
        while (count < maximumCount && end + frameLength <= limit && buffer.Slice(end, payloadOffset).SequenceEqual(prefix))
        {
            count++;
            end += frameLength;
        }

        return new PlainPublishRun(buffer[..end], count, frameLength, payloadOffset);
    }
}
