using Trunkline.Sessions;
using Trunkline.Topics;

namespace Trunkline.Broker;

/// <summary>The shares of the group, and which of them match a topic. Loop thread only.</summary>
/// <remarks>Files: ShareTable (who is there, messages), ShareTable.Records (what the log has of them).</remarks>
internal sealed partial class ShareTable
{
    private readonly BrokerState _state;
    private readonly FilterIndex<Share> _index = new();
    private readonly Dictionary<TopicFilterText, Share> _byFilter = [];
    private readonly List<Share> _matching = [];
    private readonly List<ShareMember> _chosen = [];
    private uint _lastId;
    private long _orphansDueMs = long.MaxValue;

    public ShareTable(BrokerState state)
    {
        _state = state;
        _timer = new RecordTimer(this);
        Chooser = new ShareChooser(new Random((int)SessionRegistry.OriginOf(state.Name)));
        Recover();
        state.Log.ShareSnapshot = Snapshot;
    }

    public int Count => _byFilter.Count;

    public ShareChooser Chooser { get; }

    /// <summary>The share of a filter with its share name, or null.</summary>
    public Share? Find(TopicFilterText filter) => _byFilter.GetValueOrDefault(filter);

    /// <summary>Makes a subscription a member of its share; null when a limit refuses it.</summary>
    public ShareMember? Join(SessionSubscription subscription, LinkNode? node)
    {
        if (!_byFilter.TryGetValue(subscription.Filter, out Share? share))
        {
            if (_byFilter.Count >= _state.Options.SharesMaximum)
            {
                return null;
            }

            share = new Share(this, _state, ++_lastId, subscription.Filter);
            share.BeginAtTail();
            Add(share);
            NoteChanged(share);

            // Before SUBACK: what is published after it must find the share in the log before itself.
            Flush();
        }
        else if (share.Members.Count >= _state.Options.ShareMembersMaximum)
        {
            return null;
        }

        var member = new ShareMember(share, subscription, node);
        share.Add(member);
        return member;
    }

    /// <summary>Takes a member out; what it has goes to others. A share without members is over unless it is lasting.</summary>
    public void Leave(ShareMember member)
    {
        Share share = member.Share;
        share.Remove(member);
        if (share.Members.Count == 0 && !share.IsLasting)
        {
            End(share);
        }
    }

    /// <summary>Chooses for each share that matches a QoS 0 message the member that gets it; until the next call.</summary>
    public List<ShareMember> ChooseLive(in LogRecord record)
    {
        _chosen.Clear();
        if (_byFilter.Count == 0)
        {
            return _chosen;
        }

        Match(record.Topic);
        foreach (Share share in _matching)
        {
            if (Chooser.Choose(share, record, limit: 0) is { } member)
            {
                _chosen.Add(member);
            }
            else
            {
                _state.Counters.Add(BrokerCounter.ShareUndelivered);
            }
        }

        return _chosen;
    }

    /// <summary>
    /// A logged message is being dispatched. Before <see cref="BrokerState.Dispatched"/> says so: what is handed out is
    /// listed by then.
    /// </summary>
    public void Dispatch(in LogRecord record, LogPosition before)
    {
        if (_byFilter.Count == 0 || record.IsForSharesOnly)
        {
            return;
        }

        Match(record.Topic);
        foreach (Share share in _matching)
        {
            share.Dispatched(record, before);
        }
    }

    /// <summary>Something may be readable, or somebody may have room.</summary>
    public void WakeAll()
    {
        foreach (Share share in _byFilter.Values)
        {
            share.Wake();
        }
    }

    /// <summary>A few times a second: what nobody came for is over.</summary>
    public void OnTick()
    {
        bool orphans = _state.NowMs >= _orphansDueMs;
        long outstanding = 0;
        long taken = 0;
        List<Share>? over = null;
        foreach (Share share in _byFilter.Values)
        {
            if (orphans)
            {
                share.GiveUpOrphans();
            }

            share.ForgetLostTakes();
            share.Wake();
            outstanding += share.Outstanding;
            taken += share.Taken;
            long kept = share.IsLasting ? _state.Options.ShareKeptSeconds * 1000L : share.IsRecovered ? _state.Options.NodeGoneMs : 0;
            if (share.Members.Count == 0 && _state.NowMs - share.MemberlessSinceMs >= kept)
            {
                (over ??= []).Add(share);
            }
        }

        _orphansDueMs = orphans ? long.MaxValue : _orphansDueMs;
        over?.ForEach(End);
        _state.Counters.Set(BrokerCounter.Shares, _byFilter.Count);
        _state.Counters.Set(BrokerCounter.ShareOutstanding, outstanding);
        _state.Counters.Set(BrokerCounter.ShareTakes, taken);
    }

    private void Add(Share share)
    {
        _byFilter.Add(share.Filter, share);
        _index.Add(share.Filter.Filter, share);
    }

    private void End(Share share)
    {
        share.End();
        _byFilter.Remove(share.Filter);
        _index.Remove(share.Filter.Filter, share);
        _state.Counters.Add(BrokerCounter.SharesEnded);
        NoteChanged(share);
    }

    private void Match(ReadOnlySpan<byte> topic)
    {
        _matching.Clear();
        var collector = new Collector(_matching);
        _index.Match(topic, ref collector);
    }

    private readonly struct Collector(List<Share> matching) : IFilterCollector<Share>
    {
        public void Add(Share value) => matching.Add(value);
    }
}
