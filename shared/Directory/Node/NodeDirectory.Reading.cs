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
        await FollowSlotTableAsync(beat.SlotVersion, cancellation);
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

    // The declarer detaches; when it is gone itself, the living node with the lowest id takes the work up.
    private void Detach(BeatReading beat, CancellationToken cancellation)
    {
        foreach ((NodeId victim, NodeId declarer) in beat.Detaching)
        {
            bool declarerLives = beat.Counters.Any(c => c.Key == declarer);
            if (declarer == Self.Id || (!declarerLives && beat.Counters.Min(c => c.Key.Value) == Self.Id.Value))
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
        DirectoryResult<int> detached = await _store.DetachAsync(victim, cancellation);
        if (detached.IsOk)
        {
            DirectoryLog.Detached(_environment.Logger, victim, detached.Value);
        }
        else
        {
            DirectoryLog.DetachFailed(_environment.Logger, victim, detached.Detail);
        }
    }

    // The highest table wins: a directory that went back in time gets it again from whoever knows it.
    private async Task FollowSlotTableAsync(long stored, CancellationToken cancellation)
    {
        SlotTable? known = _slotTable;
        if (known is not null && stored < known.Version)
        {
            DirectoryLog.SlotTableWentBack(_environment.Logger, stored, known.Version);
            await _store.PublishSlotTableAsync(known, stored, cancellation);
        }
        else if (stored > (known?.Version ?? 0))
        {
            DirectoryResult<SlotTable?> read = await _store.ReadSlotTableAsync(cancellation);
            if (read is { IsOk: true, Value: { } table })
            {
                Learn(table);
            }
        }

        if (_slotTable is { } latest && latest.Version > _announcedSlots)
        {
            _announcedSlots = latest.Version;
            DirectoryLog.SlotTableChanged(_environment.Logger, latest.Version);
            Raise(e => e.SlotTableChanged(latest), _events!);
        }
    }
}
