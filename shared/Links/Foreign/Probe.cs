using Trunkline.Transports;

namespace Trunkline.Links;

internal sealed class Probe(LinkGroup group, Loop loop, Action passed)
{
    public void Begin() => passed();
    public void Stop() { _ = loop; _ = group; }
}
