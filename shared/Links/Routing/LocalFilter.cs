using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Links;

/// <summary>One filter on one loop with the subscriptions that hold it. Loop thread only.</summary>
internal sealed class LocalFilter(TopicFilterText text, int[] groups)
{
    /// <summary>Null, the only subscription, or an array of several: most filters are one device's own.</summary>
    private object? _held;

    public TopicFilterText Text { get; } = text;

    public bool IsShared { get; } = text.IsShared;

    /// <summary>The groups that may own a matching topic; a list shared by all filters of the same need.</summary>
    public int[] Groups { get; set; } = groups;

    public int Count { get; private set; }

    public LiveSubscription this[int index] => _held as LiveSubscription ?? ((LiveSubscription[])_held!)[index];

    /// <summary>
    /// When its last subscription left, only while it has none: the low half of the loop's milliseconds, which goes round
    /// after 49 days where the linger lasts seconds.
    /// </summary>
    public uint EmptySinceMs { get; set; }

    /// <summary>Whether it was given up; a late answer must not bring it back.</summary>
    public bool IsReleased { get; set; }

    /// <summary>Whether it waits in the linger queue.</summary>
    public bool IsLingering { get; set; }

    /// <summary>Shared only: where the next member is looked for.</summary>
    public int Turn { get; set; }

    /// <summary>Shared only: the member chosen last, for the sticky strategy.</summary>
    public LiveSubscription? Stuck { get; set; }

    /// <summary>Foreign groups only: its identifier per group, 0 until it is live there.</summary>
    public uint[]? Identifiers { get; set; }

    public void Add(LiveSubscription live)
    {
        live.Index = Count;
        switch (_held)
        {
            case null:
                _held = live;
                break;
            case LiveSubscription single:
                _held = new[] { single, live };
                break;
            case LiveSubscription[] several:
                if (Count == several.Length)
                {
                    Array.Resize(ref several, Count * 2);
                    _held = several;
                }

                several[Count] = live;
                break;
        }

        Count++;
    }

    public void Remove(LiveSubscription live)
    {
        Count--;
        if (_held is LiveSubscription[] several && Count > 0)
        {
            LiveSubscription last = several[Count];
            several[live.Index] = last;
            last.Index = live.Index;
            several[Count] = null!;
        }
        else
        {
            _held = null;
        }

        live.Index = -1;
    }

    /// <summary>
    /// Shared only: a connected member that is live at the group, by the share's strategy; without one an offline one, where
    /// no share waits to hear of the message; else null.
    /// </summary>
    public LiveSubscription? Choose(in ShareChoice choice)
    {
        LiveSubscription? best = choice.Strategy == SharedStrategy.Sticky && Stuck is { } stuck && IsCandidate(stuck, choice) ? stuck : null;
        LiveSubscription? offline = null;
        int start = Turn + 1;
        if (choice.Strategy == SharedStrategy.Random)
        {
            start = choice.Random.Next(int.Max(1, Count));
        }

        for (int i = 0; i < Count && !IsFound(best, choice.Strategy); i++)
        {
            int index = (start + i) % Count;
            LiveSubscription live = this[index];
            if (!IsCandidate(live, choice))
            {
                offline ??= !choice.MustHaveRoom && live.IsLiveAt(choice.Group) && live.Subscription.IsHeld ? live : null;
            }
            else if (best is null || IsBetter(live, best, choice))
            {
                best = live;
                Turn = index;
            }
        }

        Stuck = best;
        return best ?? (choice.Message.Position.IsNone ? offline : null);
    }

    /// <summary>Whether no later candidate can be better.</summary>
    private static bool IsFound(LiveSubscription? best, SharedStrategy strategy) => best is not null && strategy switch
    {
        SharedStrategy.LeastInFlight => best.HandedOut == 0,
        SharedStrategy.HashClient or SharedStrategy.HashTopic => false,
        SharedStrategy.Sticky => true,
        _ => HasRoom(best),
    };

    private static bool IsCandidate(LiveSubscription live, in ShareChoice choice) =>
        !live.IsRemoved && live.IsLiveAt(choice.Group) && live.Subscription.IsHeld
        && live.Subscription.Session.Channel is not null && (!choice.MustHaveRoom || HasRoom(live));

    private static bool HasRoom(LiveSubscription live) => live.HandedOut < live.Subscription.Session.SharedCapacity;

    /// <summary>Whether a later candidate comes before the best so far.</summary>
    private static bool IsBetter(LiveSubscription live, LiveSubscription best, in ShareChoice choice) => choice.Strategy switch
    {
        SharedStrategy.LeastInFlight => live.HandedOut < best.HandedOut,
        SharedStrategy.HashClient or SharedStrategy.HashTopic =>
            ShareRank.Score(choice.Key, live.Subscription.Session.Origin, 1) > ShareRank.Score(choice.Key, best.Subscription.Session.Origin, 1),
        _ => !HasRoom(best) && HasRoom(live),
    };

    /// <summary>Finds filters by their text.</summary>
    public readonly struct ByText : IItemRules<TopicFilterText, LocalFilter>
    {
        public static uint HashOf(in TopicFilterText key) => (uint)key.GetHashCode();

        public static TopicFilterText KeyOf(LocalFilter item) => item.Text;

        public static bool AreEqual(in TopicFilterText left, in TopicFilterText right) => left == right;
    }

    /// <summary>Shared only: connected members, and how many messages they take at a time.</summary>
    public (int Connected, int Capacity) ConnectedMembers()
    {
        int connected = 0;
        int capacity = 0;
        for (int i = 0; i < Count; i++)
        {
            Session session = this[i].Subscription.Session;
            connected += session.Channel is null ? 0 : 1;
            capacity += session.SharedCapacity;
        }

        return (connected, capacity);
    }
}
