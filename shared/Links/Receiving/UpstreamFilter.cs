using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

/// <summary>Where an upstream subscription stands on the connection of now.</summary>
internal enum UpstreamState : byte
{
    /// <summary>Has to be sent.</summary>
    Queued,

    /// <summary>SUBSCRIBE sent.</summary>
    Subscribing,

    /// <summary>SUBACK came.</summary>
    Live,

    /// <summary>The broker refused it; tried again on the next connection or request.</summary>
    Refused,

    /// <summary>No loop wants it any more.</summary>
    Gone,
}

/// <summary>
/// One filter of this node at one group, subscribed once whatever the number of sessions. Owned by the receive link's
/// loop; what <see cref="LocalOf"/> gives for a loop is written and read by that loop only.
/// </summary>
internal sealed class UpstreamFilter(TopicFilterText text, uint identifier, int loops, SharedStrategy strategy)
{
    private LocalFilter? _first;

    // Most processes have one or two loops: their filters stand inline, an array of all but the first comes with the third.
    private object? _others = loops > 2 ? new LocalFilter?[loops - 1] : null;

    public TopicFilterText Text { get; } = text;

    /// <summary>Never reused in an incarnation, so that a late copy cannot be taken for another filter's.</summary>
    public uint Identifier { get; } = identifier;

    public bool IsShared => Shared is not null;

    /// <summary>The loops that want it, one bit each.</summary>
    public ulong Loops { get; set; }

    public UpstreamState State { get; set; }

    /// <summary>
    /// While it is live: the position its SUBACK named. What the link has dispatched may lie before it for a while, and what
    /// lies between the two never comes by this filter.
    /// </summary>
    public LogPosition LiveAfter { get; set; }

    public ReceiveLink? Link { get; set; }

    /// <summary>Whether it has to be back before the link resumes.</summary>
    public bool IsAwaitedByResume { get; set; }

    /// <summary>Requests not answered yet; null while there are none.</summary>
    public List<FilterRequest>? Waiters { get; set; }

    /// <summary>Shared only: its members by loop; null for any other.</summary>
    public ShareLoops? Shared { get; } = text.IsShared ? new ShareLoops(loops, strategy) : null;

    /// <summary>Shared only: whether a session that may be away holds it.</summary>
    public bool IsLasting { get; set; }

    /// <summary>Shared only: whether the broker was told so.</summary>
    public bool IsLastingSent { get; set; }

    /// <summary>The filter on a loop; null until its first subscription there is activated.</summary>
    public LocalFilter? LocalOf(int loop) => loop switch
    {
        0 => _first,
        _ => _others is LocalFilter?[] others ? others[loop - 1] : _others as LocalFilter,
    };

    /// <summary>An idle filter holds no list.</summary>
    public void DropEmptyWaiters()
    {
        if (Waiters is { Count: 0 })
        {
            Waiters = null;
        }
    }

    /// <summary>Sets <see cref="LocalOf"/>, on that loop.</summary>
    public void SetLocal(int loop, LocalFilter filter)
    {
        if (loop == 0)
        {
            _first = filter;
        }
        else if (_others is LocalFilter?[] others)
        {
            others[loop - 1] = filter;
        }
        else
        {
            _others = filter;
        }
    }

    /// <summary>Finds filters by their text.</summary>
    public readonly struct ByText : IItemRules<TopicFilterText, UpstreamFilter>
    {
        public static uint HashOf(in TopicFilterText key) => (uint)key.GetHashCode();

        public static TopicFilterText KeyOf(UpstreamFilter item) => item.Text;

        public static bool AreEqual(in TopicFilterText left, in TopicFilterText right) => left == right;
    }

    /// <summary>Finds filters by their identifier: given in order, so they fill the buckets evenly as they are.</summary>
    public readonly struct ByIdentifier : IItemRules<uint, UpstreamFilter>
    {
        public static uint HashOf(in uint key) => key;

        public static uint KeyOf(UpstreamFilter item) => item.Identifier;

        public static bool AreEqual(in uint left, in uint right) => left == right;
    }
}
