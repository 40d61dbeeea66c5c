using Trunkline.Topics;

namespace Trunkline.Directory;

/// <content>What one reading of the lease loop leads to.</content>
public abstract partial class NodeDirectory
{
    private async Task TakeReadingAsync(BeatReading beat, long connection, long sent, long received, CancellationToken cancellation)
    {
        bool graceEnded = _health.State == DirectoryState.Recovering && !IsInGrace;
        SetState(IsInGrace ? DirectoryState.Recovering : DirectoryState.Connected, IsInGrace ? "new generation" : "");
        long version = beat.NodesVersion;
        foreach ((NodeId node, long counter) in _watch.Read(_generation, connection, sent, received, Self.Id, beat.Counters))
        {
            if (await DeclareDeadAsync(node, counter, cancellation))
            {
                version = -1;
            }
        }

        if (version != _nodesVersion || version < 0 || graceEnded)
        {
            await ReadNodesAsync(cancellation);
        }

        Detach(beat, cancellation);
        await FollowSlotMapAsync(beat.SlotVersion, cancellation);
        if (_doubt is { } doubt)
        {
            _doubt = null;
            Raise(e => e.HeldInDoubt(doubt), _events!);
        }
    }

    private async Task<bool> DeclareDeadAsync(NodeId node, long counter, CancellationToken cancellation)
    {
        DirectoryResult<Answer<bool>> declared = await _store.DeclareDeadAsync(node, counter, _generation, Self.Id, cancellation);
        if (!declared.IsOk || declared.Value.Finding != Finding.Ok)
        {
            return declared.IsOk && declared.Value.Finding == Finding.Missing;
        }

        _meters.Died("other");
        DirectoryLog.DeclaredOther(_environment.Logger, node, counter);
        StartDetaching(node, cancellation);
        await _store.SendAsync(NodeId.None, NodeMessage.NodesChanged, cancellation);
        return true;
    }

    private async Task ReadNodesAsync(CancellationToken cancellation)
    {
        DirectoryResult<NodesReading> read = await _store.ReadNodesAsync(cancellation);
        if (!read.IsOk)
        {
            return;
        }

        _nodesVersion = read.Value.Version;
        Dictionary<NodeId, NodeInfo> now = read.Value.Nodes.ToDictionary(n => n.Id);
        NodeInfo[] missing = [.. _known.Values.Where(n => !now.ContainsKey(n.Id))];
        NodeInfo[] came = [.. now.Values.Where(n => n.Id != Self.Id && !_known.ContainsKey(n.Id))];
        foreach (NodeInfo node in came)
        {
            _known.Add(node.Id, node);
            now.Remove(node.Id);
        }

        // In the grace of a new generation a node that is missing may just not have registered again yet.
        NodeInfo[] gone = [.. missing.Where(n => !IsInGrace || read.Value.Dead.Contains(n.Id))];
        foreach (NodeInfo node in gone)
        {
            _known.Remove(node.Id);
        }

        _nodes = [Self, .. _known.Values];
        foreach (NodeInfo node in came)
        {
            DirectoryLog.NodeAppeared(_environment.Logger, node.Id, node.Name);
            Raise(e => e.NodeAppeared(node), _events!);
        }

        foreach (NodeInfo node in gone)
        {
            NodeGoneReason reason = read.Value.Dead.Contains(node.Id) ? NodeGoneReason.Dead : NodeGoneReason.Left;
            DirectoryLog.NodeGone(_environment.Logger, node.Id, node.Name, reason);
            Raise(e => e.NodeGone(node, reason), _events!);
        }
    }

    // The declarer detaches; when it is gone itself, the living node with the lowest id takes the work up; when it is not
    // done after two leases, all do: the declarer may be of a version that cannot read what the dead one wrote.
    private void Detach(BeatReading beat, CancellationToken cancellation)
    {
        foreach (NodeId done in _undetachedSince.Keys.Where(node => beat.Detaching.All(entry => entry.Key != node)).ToArray())
        {
            _undetachedSince.Remove(done);
            lock (_leftToNewer)
            {
                _leftToNewer.Remove(done);
            }
        }

        foreach ((NodeId victim, NodeId declarer) in beat.Detaching)
        {
            _undetachedSince.TryAdd(victim, Time.GetTimestamp());
            bool isOverdue = Time.GetElapsedTime(_undetachedSince[victim]).TotalMilliseconds > 2L * _options.LeaseMs;
            bool declarerLives = beat.Counters.Any(c => c.Key == declarer);
            if (declarer == Self.Id || isOverdue || (!declarerLives && beat.Counters.Min(c => c.Key.Value) == Self.Id.Value))
            {
                StartDetaching(victim, cancellation);
            }
        }
    }

    private void StartDetaching(NodeId victim, CancellationToken cancellation)
    {
        foreach (NodeId done in _detaching.Where(d => d.Value.IsCompleted).Select(d => d.Key).ToArray())
        {
            _detaching.Remove(done);
        }

        if (!_detaching.ContainsKey(victim))
        {
            _detaching.Add(victim, DetachAsync(victim, cancellation));
        }
    }

    private async Task DetachAsync(NodeId victim, CancellationToken cancellation)
    {
        DirectoryResult<int> detached = await DetachNodeAsync(victim, cancellation);
        if (detached.IsOk)
        {
            DirectoryLog.Detached(_environment.Logger, victim, detached.Value);
        }
        else if (detached.Status == DirectoryStatus.NewerRecord)
        {
            lock (_leftToNewer)
            {
                if (!_leftToNewer.Add(victim))
                {
                    return;
                }
            }

            DirectoryLog.CheckpointNewer(_environment.Logger, victim);
        }
        else
        {
            DirectoryLog.DetachFailed(_environment.Logger, victim, detached.Detail);
        }
    }

    // The newest map wins: a directory that went back in time gets it again from whoever knows it. Two maps of one version
    // can exist after that only; so the stored one is looked at once in each generation, and all nodes choose alike.
    private async Task FollowSlotMapAsync(ulong stored, CancellationToken cancellation)
    {
        ulong known = _slotMap?.Version ?? 0;
        SlotMap? read = null;
        if (stored != _slotsUnreadable && (stored > known || (stored == known && stored > 0 && _slotsReadIn != _generation)))
        {
            DirectoryResult<SlotMap?> result = await _store.ReadSlotMapAsync(cancellation);

            // Told once, and asked for again when there is another one.
            _slotsUnreadable = result.Status == DirectoryStatus.NewerRecord ? stored : 0;
            if (result is { IsOk: true, Value: { } map })
            {
                read = map;
                Learn(map);
                _slotsReadIn = _generation;
            }
        }

        SlotMap? latest = _slotMap;
        if (latest is not null && (stored < latest.Version || (read is not null && latest.IsNewerThan(read))))
        {
            DirectoryLog.SlotMapWentBack(_environment.Logger, stored, latest.Version);
            await _store.PublishSlotMapAsync(latest, stored, cancellation);
        }

        if (latest is not null && latest != _announcedSlots)
        {
            _announcedSlots = latest;
            DirectoryLog.SlotMapChanged(_environment.Logger, latest.Version);
            Raise(e => e.SlotMapChanged(latest), _events!);
        }
    }
}
