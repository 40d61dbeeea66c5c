namespace Trunkline.Topics;

/// <summary>Takes the entries of a page. A struct, so that the call is inlined and nothing is boxed.</summary>
public interface ITopicReader<in T>
{
    /// <summary>
    /// Called once for each entry, in the index's order. The memory is the index's own and never changes. False ends
    /// the page after this entry (the reader is full). It must not change the index.
    /// </summary>
    bool Read(ReadOnlyMemory<byte> topic, T value);
}
