using System.Numerics;
using Trunkline.Protocol;
using Trunkline.Sessions;

namespace Trunkline.Links;

internal sealed partial class GroupReceiver
{
    private UpstreamFilter[] _matches = new UpstreamFilter[8];
    private byte[] _properties = new byte[256];

    /// <summary>
    /// Brings one PUBLISH to the sessions of every loop that hold a filter it came for. The bytes are copied once; each
    /// loop gets a reference.
    /// </summary>
    public void Dispatch(in PublishPacket packet, in TrunklineFields fields, LogPosition position)
    {
        _counters.Add(LinkCounter.Received);
        if (fields.IsHandout)
        {
            TakeHandout(packet, fields, position);
            return;
        }

        int count = FindMatches(packet.Properties.SubscriptionIdentifiers, out ulong loops, out int shared);
        if (count > 0 || shared > 0)
        {
            SharedMessage message = Rent(packet, fields, position, packet.Properties.MessageExpiryInterval);
            Send(message, loops, _matches.AsSpan(0, count));
            for (int i = 0; i < shared; i++)
            {
                ReadOnlySpan<UpstreamFilter> one = _matches.AsSpan(_matches.Length - 1 - i, 1);
                Send(message, LoopOfMember(one[0], message), one);
            }

            message.Release();
        }
        else
        {
            _counters.Add(LinkCounter.WithoutReceiver);
        }

        DispatchedTo(position);
    }

    /// <summary>
    /// Brings a message of the log beside a foreign broker to the loops that have sessions fed by it; each finds them by
    /// the topic. One that has outlived itself in the log is left out.
    /// </summary>
    public void DispatchLogged(in PublishPacket packet, in TrunklineFields fields, LogPosition position, long ageMs)
    {
        if (LoggedEntry.TryAge(packet.Properties.MessageExpiryInterval, ageMs, out uint? left))
        {
            SharedMessage message = Rent(packet, fields, position, left);
            foreach (LoopRouter router in _routers)
            {
                if (!router.IsFedByLog)
                {
                    continue;
                }

                if (IsHome(router.Loop.Index))
                {
                    router.DispatchLogged(message, Group);
                }
                else
                {
                    _outboxes[router.Loop.Index]!.Add(message, default);
                    _counters.Add(LinkCounter.HandedOver);
                }
            }

            message.Release();
        }

        DispatchedTo(position);
    }

    /// <summary>Everything up to here was dispatched to this loop and is on its way to the others.</summary>
    public void DispatchedTo(LogPosition position)
    {
        if (position > Dispatched)
        {
            Dispatched = position;
            _homeRouter.Advance(Group.Index, position);
        }
    }

    /// <summary>Whether a loop lags so far behind that the link must stop reading; <see cref="ResumeReading"/> ends it.</summary>
    public bool MustPause()
    {
        bool wait = false;
        foreach (LoopOutbox? outbox in _outboxes)
        {
            wait |= outbox is { IsFull: true } && outbox.WaitForRoom();
        }

        if (wait)
        {
            _counters.Add(LinkCounter.HandOverPaused);
        }

        return wait;
    }

    public void ResumeReading()
    {
        foreach (ReceiveLink link in _links)
        {
            link.ResumeReading();
        }

        _tail?.Resume();
    }

    /// <summary>Filters go to the front of the scratch array, shared ones to its end, for those go to one member each.</summary>
    private int FindMatches(SubscriptionIdentifierList identifiers, out ulong loops, out int shared)
    {
        loops = 0;
        shared = 0;
        int count = 0;
        if (identifiers.Count > _matches.Length)
        {
            _matches = new UpstreamFilter[identifiers.Count * 2];
        }

        foreach (uint identifier in identifiers)
        {
            if (_byIdentifier.Find(identifier) is not { } filter)
            {
                continue;
            }

            if (filter.IsShared)
            {
                _matches[_matches.Length - 1 - shared++] = filter;
            }
            else
            {
                _matches[count++] = filter;
                loops |= filter.Loops;
            }
        }

        return count;
    }

    private void Send(SharedMessage message, ulong loops, ReadOnlySpan<UpstreamFilter> matches)
    {
        while (loops != 0)
        {
            int loop = BitOperations.TrailingZeroCount(loops);
            loops &= loops - 1;
            if (IsHome(loop))
            {
                _homeRouter.Dispatch(message, matches, Group);
            }
            else
            {
                _outboxes[loop]!.Add(message, matches);
                _counters.Add(LinkCounter.HandedOver);
            }
        }
    }

    /// <summary>A share hands a message to this node: to one of its connected members, or back.</summary>
    private void TakeHandout(in PublishPacket packet, in TrunklineFields fields, LogPosition position)
    {
        _counters.Add(LinkCounter.SharedReceived);
        UpstreamFilter? filter = null;
        foreach (uint identifier in packet.Properties.SubscriptionIdentifiers)
        {
            filter = _byIdentifier.Find(identifier);
        }

        if (filter?.Shared is null || position.IsNone)
        {
            // Unsubscribed meanwhile: the broker gives to others what this node had.
            _counters.Add(LinkCounter.WithoutReceiver);
            return;
        }

        SharedMessage message = Rent(packet, fields, position, packet.Properties.MessageExpiryInterval);
        int loop = filter.Shared.Choose(message.Topic, message.Origin, _random);
        if (loop < 0)
        {
            Shares.GiveBack(filter.Text, position);
        }
        else if (Shares.TryAdd(filter, position, loop))
        {
            Send(message, 1UL << loop, new ReadOnlySpan<UpstreamFilter>(in filter));
        }

        message.Release();
    }

    /// <summary>The loop of a connected member; with none connected, any loop that holds the filter.</summary>
    private ulong LoopOfMember(UpstreamFilter filter, SharedMessage message)
    {
        int loop = filter.Shared!.Choose(message.Topic, message.Origin, _random);
        return loop < 0 ? filter.Loops & (~filter.Loops + 1) : 1UL << loop;
    }

    private SharedMessage Rent(in PublishPacket packet, in TrunklineFields fields, LogPosition position, uint? expirySeconds)
    {
        int length = ForwardableProperties.Measure(packet.Properties, strip: true);
        if (_properties.Length < length)
        {
            _properties = new byte[length * 2];
        }

        ForwardableProperties.Copy(packet.Properties, _properties, strip: true);
        SharedMessage message = _context.Messages.Rent(new MessageContent
        {
            Topic = packet.Topic,
            Properties = _properties.AsSpan(0, length),
            Payload = packet.Payload,
            QoS = fields.OriginalQoS == 0 ? packet.QoS : (QoS)int.Min(fields.OriginalQoS, 2),
            Retain = fields.Retain || packet.Retain,
            ExpiresAtMs = expirySeconds is { } seconds ? Loop.NowMs + (seconds * 1000L) : long.MaxValue,
            Origin = fields.Origin,
        });

        // What somebody published straight to a foreign broker is in no log of ours.
        message.Group = Group.Endpoint.Log is null || fields.IsLogged ? Group.Index : -1;
        message.Position = position;
        return message;
    }
}
