using System.Runtime.CompilerServices;
using Trunkline.Sessions;

namespace Trunkline.Broker;

/// <content>What nodes and sessions say of messages they have, or had.</content>
internal sealed partial class Share
{
    /// <summary>A device acknowledged it, or refused it, or a rule passed it over; from whoever.</summary>
    public void Done(LogPosition position)
    {
        if (IsAhead(position))
        {
            Remember(position);
        }
        else if (Drop(position))
        {
            _state.Counters.Add(BrokerCounter.ShareDone);
            Wake();
        }
    }

    /// <summary>A member gives it back: another gets it. What is taken, or somebody else's by now, stays as it is.</summary>
    public void Return(LogPosition position, ShareMember? member)
    {
        ref Handout handout = ref Find(position);
        if (!Unsafe.IsNullRef(ref handout) && handout.Owner == 0 && member is not null && ReferenceEquals(handout.Holder, member))
        {
            Unhold(ref handout);
            _again.Add(position);
            _state.Counters.Add(BrokerCounter.ShareReturned);
            Wake();
        }
    }

    /// <summary>A node says, before it resumes, that it has it still.</summary>
    public void Claim(LogPosition position, ShareMember member)
    {
        ref Handout handout = ref Find(position);
        if (Unsafe.IsNullRef(ref handout))
        {
            if (IsAhead(position))
            {
                Put(position, member);
            }

            return;
        }

        if (handout.Owner == 0 && (handout.Holder is null || ReferenceEquals(handout.Holder, member)))
        {
            member.HandedOut += handout.Holder is null ? 1 : 0;
            handout.Holder = member;
            handout.Link = member.Node!.Link;
            _again.Remove(position);
        }
    }

    /// <summary>
    /// A session is about to begin a QoS 2 exchange: from now on the message is its own. Refused when it is done, or another
    /// session's.
    /// </summary>
    public bool Take(LogPosition position, ulong owner)
    {
        ref Handout handout = ref Find(position);
        if (Unsafe.IsNullRef(ref handout))
        {
            if (!IsAhead(position) || position <= _state.Log.Start)
            {
                return Refuse();
            }

            // An earlier run of the broker had handed it out; its record of that is lost.
            _handouts.Add(position, new Handout { Owner = owner });
        }
        else if (handout.Owner == owner)
        {
            return true;
        }
        else if (handout.Owner != 0)
        {
            return Refuse();
        }
        else
        {
            Unhold(ref handout);
            handout.Owner = owner;
            _again.Remove(position);
        }

        _taken++;
        _changed.Add(position);
        NoteChanged();
        _state.Counters.Add(BrokerCounter.ShareTaken);
        Wake();
        return true;
    }

    /// <summary>A session that was given it is gone without having begun, and nobody goes on with it: another gets it.</summary>
    public void Free(LogPosition position, ulong owner)
    {
        ref Handout handout = ref Find(position);
        if (!Unsafe.IsNullRef(ref handout) && handout.Owner == owner)
        {
            handout.Owner = 0;
            _taken--;
            _changed.Add(position);
            _again.Add(position);
            NoteChanged();
            Wake();
        }
    }

    /// <summary>What a member has goes to others; with a link, what was not handed out or claimed on that link.</summary>
    public void Reclaim(ShareMember member, ReceiveLink? keeps)
    {
        if (member.HandedOut == 0)
        {
            return;
        }

        foreach (LogPosition position in _handouts.Keys.ToArray())
        {
            ref Handout handout = ref Find(position);
            if (ReferenceEquals(handout.Holder, member) && (keeps is null || !ReferenceEquals(handout.Link, keeps)))
            {
                Unhold(ref handout);
                _again.Add(position);
                _state.Counters.Add(BrokerCounter.ShareHandedOver);
            }
        }

        Wake();
    }

    /// <summary>Done before the position has come there: it must not be handed out when it does.</summary>
    private void Remember(LogPosition position)
    {
        ref Handout handout = ref Find(position);
        if (Unsafe.IsNullRef(ref handout))
        {
            if (_taken >= _state.Options.ShareTakesMaximum)
            {
                return;
            }

            _handouts.Add(position, new Handout { Owner = Handout.Finished });
            _taken++;
            _finished++;
        }
        else
        {
            Unhold(ref handout);
            _taken += handout.Owner == 0 ? 1 : 0;
            _finished += handout.Owner == Handout.Finished ? 0 : 1;
            handout.Owner = Handout.Finished;
            _again.Remove(position);
        }

        _changed.Add(position);
        NoteChanged();
    }

    private bool Refuse()
    {
        _state.Counters.Add(BrokerCounter.ShareTakesRefused);
        return false;
    }
}
