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

    /// <summary>When its last subscription left; only while it has none.</summary>
    public long EmptySinceMs { get; set; }

    /// <summary>Whether it was given up; a late answer must not bring it back.</summary>
    public bool IsReleased { get; set; }

    /// <summary>Whether it waits in the linger queue.</summary>
    public bool IsLingering { get; set; }

    /// <summary>Shared only: where the next member is looked for.</summary>
    public int Turn { get; set; }

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

    /// <summary>Shared only: the next connected member that is live at the group; an offline one when none is connected; else null.</summary>
    public LiveSubscription? NextMember(int group)
    {
        LiveSubscription? offline = null;
        for (int i = 0; i < Count; i++)
        {
            Turn = Turn + 1 >= Count ? 0 : Turn + 1;
            LiveSubscription live = this[Turn];
            if (!live.Accepts(group, LogPosition.None) || !live.Subscription.IsHeld)
            {
                continue;
            }

            if (live.Subscription.Session.Channel is not null)
            {
                return live;
            }

            offline ??= live;
        }

        return offline;
    }

    /// <summary>Finds filters by their text.</summary>
    public readonly struct ByText : IItemRules<TopicFilterText, LocalFilter>
    {
        public static uint HashOf(in TopicFilterText key) => (uint)key.GetHashCode();

        public static TopicFilterText KeyOf(LocalFilter item) => item.Text;

        public static bool AreEqual(in TopicFilterText left, in TopicFilterText right) => left == right;
    }

    public int ConnectedMembers()
    {
        int connected = 0;
        for (int i = 0; i < Count; i++)
        {
            connected += this[i].Subscription.Session.Channel is null ? 0 : 1;
        }

        return connected;
    }
}
