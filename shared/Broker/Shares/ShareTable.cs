using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>The shares of the group and which of them match a topic.</summary>
internal sealed class ShareTable(BrokerOptions options)
{
    private readonly FilterIndex<Share> _index = new();
    private readonly Dictionary<TopicFilterText, Share> _byFilter = [];
    private readonly Dictionary<uint, Share> _byId = [];
    private ShareChoice[] _choices = new ShareChoice[8];
    private int _count;
    private uint _lastId;

    public int Count => _byFilter.Count;

    /// <summary>The choices made by <see cref="Choose"/>, until the next call.</summary>
    public ReadOnlySpan<ShareChoice> Choices => _choices.AsSpan(0, _count);

    /// <summary>Makes a subscription a member of its share; null when a limit refuses it.</summary>
    public (Share Share, ShareMember Member)? Join(SessionSubscription subscription, LinkNode? node)
    {
        if (!_byFilter.TryGetValue(subscription.Filter, out Share? share))
        {
            if (_byFilter.Count >= options.SharesMaximum)
            {
                return null;
            }

            share = new Share(++_lastId, subscription.Filter);
            _byFilter.Add(subscription.Filter, share);
            _byId.Add(share.Id, share);
            _index.Add(subscription.Filter.Filter, share);
        }
        else if (share.Count >= options.ShareMembersMaximum)
        {
            return null;
        }

        var member = new ShareMember(++_lastId, subscription, node);
        share.Add(member);
        return (share, member);
    }

    /// <summary>Takes a member out; a share without members is gone.</summary>
    public void Leave(Share share, ShareMember member)
    {
        share.Remove(member);
        if (share.Count == 0 && _byFilter.Remove(share.Filter))
        {
            _byId.Remove(share.Id);
            _index.Remove(share.Filter.Filter, share);
        }
    }

    /// <summary>Chooses for each share that matches the member that gets the message. Returns how many found none.</summary>
    public int Choose(ReadOnlySpan<byte> topic, bool mayWait)
    {
        _count = 0;
        if (_byFilter.Count == 0)
        {
            return 0;
        }

        var collector = new Collector(this, mayWait);
        _index.Match(topic, ref collector);
        return collector.Undelivered;
    }

    /// <summary>The member a choice names; null when it has left.</summary>
    public ShareMember? MemberOf(ShareChoice choice) =>
        _byId.TryGetValue(choice.Share, out Share? share) ? share.Find(choice.Member) : null;

    private void Add(Share share, ShareMember member)
    {
        if (_count == _choices.Length)
        {
            Array.Resize(ref _choices, _choices.Length * 2);
        }

        _choices[_count++] = new ShareChoice(share.Id, member.Id);
    }

    private struct Collector(ShareTable table, bool mayWait) : IFilterCollector<Share>
    {
        public int Undelivered { get; private set; }

        public void Add(Share value)
        {
            if (value.Choose(mayWait) is { } member)
            {
                table.Add(value, member);
            }
            else
            {
                Undelivered++;
            }
        }
    }
}
