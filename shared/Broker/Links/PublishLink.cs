namespace Trunkline.Broker;

/// <summary>What a connected publish link is to its session: the memory of its numbers.</summary>
internal sealed class PublishLink(LinkHello hello, LogProducer producer)
{
    public LinkHello Hello { get; } = hello;

    public LogProducer Producer { get; } = producer;
}
