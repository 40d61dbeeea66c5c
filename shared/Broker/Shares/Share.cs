using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>
/// One shared subscription: a share name and a filter, and the members that take turns.
/// Each message goes to one of them: round robin over those that take it at once, else over those that are connected,
/// else, at QoS 1 and 2, to one that is away and comes back.
/// </summary>
internal sealed class Share(uint id, TopicFilterText filter)
{
    private readonly List<ShareMember> _members = [];
    private int _next;

    /// <summary>Its number in this run of the broker.</summary>
    public uint Id { get; } = id;

    /// <summary>The filter with its share name.</summary>
    public TopicFilterText Filter { get; } = filter;

    public int Count => _members.Count;

    public void Add(ShareMember member) => _members.Add(member);

    public void Remove(ShareMember member)
    {
        int index = _members.IndexOf(member);
        if (index < 0)
        {
            return;
        }

        _members.RemoveAt(index);
        if (index < _next)
        {
            _next--;
        }
    }

    /// <summary>The member of that number, or null once it has left. No closure: this is asked for every message.</summary>
    public ShareMember? Find(uint member)
    {
        foreach (ShareMember candidate in _members)
        {
            if (candidate.Id == member)
            {
                return candidate;
            }
        }

        return null;
    }

    /// <summary>The member whose turn it is; null when nobody can take the message.</summary>
    /// <param name="mayWait">Whether it may be kept for a member that is away.</param>
    public ShareMember? Choose(bool mayWait)
    {
        ShareMember? connected = null;
        ShareMember? away = null;
        for (int i = 0; i < _members.Count; i++)
        {
            int index = (_next + i) % _members.Count;
            ShareMember member = _members[index];
            if (member.IsReady)
            {
                _next = index + 1;
                return member;
            }

            if (member.IsConnected)
            {
                connected ??= member;
            }
            else
            {
                away ??= member;
            }
        }

        ShareMember? chosen = connected ?? (mayWait ? away : null);
        if (chosen is not null)
        {
            _next = _members.IndexOf(chosen) + 1;
        }

        return chosen;
    }
}
