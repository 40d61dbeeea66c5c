using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Broker;

/// <summary>
/// One shared subscription: a share name and a filter. A position in the log and the list of what was handed out and is not
/// done; what lies behind the position waits in the log and costs nothing. Loop thread only.
/// </summary>
/// <remarks>
/// <code>
///   log    ..x..o..x..t..o..x..|..............      o handed out, t taken (QoS 2), x done or not of this filter
///                         position ^  waits
/// </code>
/// Everything at or before the position is done or listed. Files: Share (members, list), Share.Pump (reading and handing
/// out), Share.Reports (what nodes say).
/// </remarks>
internal sealed partial class Share : LoopWork
{
    private readonly BrokerState _state;
    private readonly ShareTable _table;
    private readonly List<ShareMember> _members = [];
    private readonly Dictionary<LogPosition, Handout> _handouts = [];
    private readonly SortedSet<LogPosition> _again = [];
    private readonly HashSet<LogPosition> _changed = [];
    private readonly List<LogPosition> _removed = [];
    private int _taken;
    private int _finished;
    private LogPosition _forgottenBefore;
    private bool _isDescribed;

    public Share(ShareTable table, BrokerState state, uint id, TopicFilterText filter)
    {
        _table = table;
        _state = state;
        Id = id;
        Filter = filter;
        _wanted = TopicsWanted.Of([filter], state.Options.TenantLevels);
        Strategy = state.Context.Strategies.Of(filter.ShareName);
    }

    /// <summary>Its number in the log's records.</summary>
    public uint Id { get; }

    /// <summary>The filter with its share name.</summary>
    public TopicFilterText Filter { get; }

    /// <summary>How members are chosen: as the node says that said so last.</summary>
    public SharedStrategy Strategy { get; set; }

    public List<ShareMember> Members => _members;

    /// <summary>The member of now of the sticky strategy.</summary>
    public ShareMember? Stuck { get; set; }

    /// <summary>Whether sessions that may be away hold it: then it outlives its members.</summary>
    public bool IsLasting { get; private set; }

    /// <summary>When it lost its last member, on the loop's clock; only while it has none.</summary>
    public long MemberlessSinceMs { get; set; }

    /// <summary>Whether it came from the log, and nobody has joined it since.</summary>
    public bool IsRecovered { get; set; }

    public bool IsEnded { get; private set; }

    /// <summary>Whether it is listed as different from what the log was told last.</summary>
    public bool IsChanged { get; set; }

    /// <summary>Messages handed out, or handed back and not yet again, that are not done; those taken are not counted.</summary>
    public int Outstanding => _handouts.Count - _taken;

    /// <summary>QoS 2 messages that belong to a session, and are not done.</summary>
    public int Taken => _taken;

    public void Add(ShareMember member)
    {
        _members.Add(member);
        IsRecovered = false;
        Wake();
    }

    /// <summary>A member leaves: what it has goes to others.</summary>
    public void Remove(ShareMember member)
    {
        if (_members.Remove(member))
        {
            Reclaim(member, keeps: null);
            MemberlessSinceMs = _state.NowMs;
        }
    }

    /// <summary>A session that outlives its connections holds it; stays so.</summary>
    public void MakeLasting()
    {
        if (!IsLasting)
        {
            IsLasting = true;
            _isDescribed = false;
            NoteChanged();
            _table.Flush();
        }
    }

    public void End() => IsEnded = true;

    /// <summary>Fills a share from the log's records; before it has members.</summary>
    public void Recover(LogPosition position, bool isLasting, IEnumerable<KeyValuePair<LogPosition, ulong>> handouts)
    {
        IsRecovered = true;
        IsLasting = isLasting;
        MemberlessSinceMs = _state.NowMs;
        foreach ((LogPosition place, ulong owner) in handouts)
        {
            _handouts.Add(place, new Handout { Owner = owner, IsRecorded = true });
            _taken += owner == 0 ? 0 : 1;
            _finished += owner == Handout.Finished ? 1 : 0;
        }

        Begin(position);
    }

    /// <summary>What was handed out before this run, and nobody has claimed or taken since, goes to others.</summary>
    public void GiveUpOrphans()
    {
        foreach (LogPosition position in _handouts.Keys.ToArray())
        {
            Handout handout = _handouts[position];
            if (handout is { Holder: null, Owner: 0 } && _again.Add(position))
            {
                _state.Counters.Add(BrokerCounter.ShareHandedOver);
            }
        }

        Wake();
    }

    /// <summary>Whose session is gone for so long that the log has lost the message will never say so.</summary>
    public void ForgetLostTakes()
    {
        LogPosition start = _state.Log.Start;
        if (_taken == 0 || start == _forgottenBefore)
        {
            return;
        }

        _forgottenBefore = start;

        foreach (LogPosition position in _handouts.Keys.ToArray())
        {
            if (position <= start && _handouts[position].Owner != 0)
            {
                Drop(position);
            }
        }
    }

    /// <summary>Writes what the log has to know, since the record before or as a whole.</summary>
    public void Write(ref ShareRecordWriter writer, bool isWhole)
    {
        if (isWhole || !_isDescribed)
        {
            writer.Share(Id, IsLasting, Filter.Text);
            _isDescribed = true;
        }

        if (isWhole)
        {
            writer.Changes(Id, Position, _handouts.Count, 0);
            foreach (LogPosition position in _handouts.Keys)
            {
                ref Handout handout = ref Find(position);
                handout.IsRecorded = true;
                writer.Handout(position, handout.Owner);
            }

            return;
        }

        writer.Changes(Id, Position, _changed.Count, _removed.Count);
        foreach (LogPosition position in _changed)
        {
            ref Handout handout = ref Find(position);
            handout.IsRecorded = true;
            writer.Handout(position, handout.Owner);
        }

        foreach (LogPosition position in _removed)
        {
            writer.Done(position);
        }

        _changed.Clear();
        _removed.Clear();
        IsChanged = false;
    }

    private void Put(LogPosition position, ShareMember holder)
    {
        ref Handout handout = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_handouts, position, out bool exists);
        handout.Holder = holder;
        handout.Link = holder.Node?.Link;
        holder.HandedOut++;
        if (!exists)
        {
            _changed.Add(position);
        }

        NoteChanged();
    }

    /// <summary>Takes an entry off its holder; it stays listed.</summary>
    private static void Unhold(ref Handout handout)
    {
        if (handout.Holder is { } holder)
        {
            holder.HandedOut--;
            handout.Holder = null;
            handout.Link = null;
        }
    }

    /// <summary>It is done.</summary>
    private bool Drop(LogPosition position)
    {
        if (!_handouts.Remove(position, out Handout handout))
        {
            return false;
        }

        Unhold(ref handout);
        _again.Remove(position);
        _taken -= handout.Owner == 0 ? 0 : 1;
        _finished -= handout.Owner == Handout.Finished ? 1 : 0;
        _changed.Remove(position);
        if (handout.IsRecorded)
        {
            _removed.Add(position);
        }

        NoteChanged();
        return true;
    }

    private ref Handout Find(LogPosition position) =>
        ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrNullRef(_handouts, position);

    private void NoteChanged() => _table.NoteChanged(this);
}
