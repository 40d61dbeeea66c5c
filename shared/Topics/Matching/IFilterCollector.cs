namespace Trunkline.Topics;

/// <summary>Takes what a topic matched. A struct, so that the call is inlined and nothing is boxed.</summary>
public interface IFilterCollector<in T>
{
    /// <summary>Called once for each value of each matching filter, in no order. It must not change the index.</summary>
    void Add(T value);
}
