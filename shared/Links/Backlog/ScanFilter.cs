using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

/// <summary>One filter of a <see cref="LogScan"/> with the readers that hold it. Loop thread only.</summary>
internal sealed class ScanFilter(TopicFilterText text)
{
    public TopicFilterText Text { get; } = text;

    /// <summary>Whether messages are read by it; at QoS 0 alone it only adds its identifier to those of other filters.</summary>
    public bool IsAsked { get; set; }

    public List<(LiveSubscription Live, BacklogRead Read)> Readers { get; } = [];
}
