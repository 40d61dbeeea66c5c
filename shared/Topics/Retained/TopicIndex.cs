namespace Trunkline.Topics;

/// <summary>Topics and their values, read in pages by filter.</summary>
public sealed class TopicIndex<T>
{
    /// <summary>How many topics there are.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>Bytes of all topic names together, for limits.</summary>
    public long TopicBytes => throw new NotImplementedException();

    /// <summary>Sets the value of a valid topic; true if the topic is new, else <paramref name="previous"/> is what it replaced.</summary>
    public bool Set(ReadOnlySpan<byte> topic, T value, out T? previous) => throw new NotImplementedException();

    /// <summary>Removes a topic; false if it was not there.</summary>
    public bool Remove(ReadOnlySpan<byte> topic, out T? removed) => throw new NotImplementedException();

    /// <summary>The value of a topic.</summary>
    public bool TryGet(ReadOnlySpan<byte> topic, out T? value) => throw new NotImplementedException();

    /// <summary>Reads the next page of the entries whose topic matches; see the type. False when nothing is left.</summary>
    public bool Read<TReader>(ReadOnlySpan<byte> filter, ref TopicCursor cursor, int maximumSteps, ref TReader reader)
        where TReader : struct, ITopicReader<T>, allows ref struct => throw new NotImplementedException();

    /// <summary>Reads the next page of all entries, those that begin with $ too.</summary>
    public bool ReadAll<TReader>(ref TopicCursor cursor, int maximumSteps, ref TReader reader)
        where TReader : struct, ITopicReader<T>, allows ref struct => throw new NotImplementedException();
}
