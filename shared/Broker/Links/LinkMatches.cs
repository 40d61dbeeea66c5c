using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>Gathers the receive links a message matches, each once with all its identifiers. Reused; loop thread only.</summary>
internal sealed class LinkMatches
{
    private ReceiveLink[] _links = new ReceiveLink[8];
    private int _run;

    public int Count { get; private set; }

    public ReceiveLink this[int index] => _links[index];

    public void Begin()
    {
        _links.AsSpan(0, Count).Clear();
        Count = 0;
        _run++;
    }

    public void Add(ReceiveLink link, uint identifier)
    {
        if (link.MatchRun != _run)
        {
            link.MatchRun = _run;
            link.ClearIdentifiers();
            if (Count == _links.Length)
            {
                Array.Resize(ref _links, _links.Length * 2);
            }

            _links[Count++] = link;
        }

        link.AddIdentifier(identifier);
    }

    public readonly struct Collector(LinkMatches matches) : IFilterCollector<LinkFilter>
    {
        public void Add(LinkFilter value) => matches.Add(value.Link, value.Subscription.Identifier);
    }
}
