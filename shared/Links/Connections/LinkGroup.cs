using Microsoft.Extensions.Logging;
using Trunkline.Sessions;

namespace Trunkline.Links;

/// <summary>What all links of one group share. Any thread.</summary>
internal sealed class LinkGroup(NodeWiring node, int index, GroupEndpoint endpoint)
{
    private readonly TaskCompletionSource _decided = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Link[] _links = [];
    private volatile string? _refusal;
    private volatile bool _isProbed;
    private readonly Lock _logEndLock = new();
    private LogPosition _logEnd;
    private ulong _highestTerm;

    public NodeWiring Node { get; } = node;

    public int Index { get; } = index;

    public GroupEndpoint Endpoint { get; } = endpoint;

    public bool IsForeign => Endpoint.Kind == GroupKind.Foreign;

    public ILogger Log => Node.Log;

    /// <summary>The highest term of the group's log that this node has heard of; a broker that starts goes above it.</summary>
    public ulong HighestTerm => Volatile.Read(ref _highestTerm);

    /// <summary>The highest position of the log beside a foreign broker that this node has heard of.</summary>
    public LogPosition LogEnd
    {
        get
        {
            lock (_logEndLock)
            {
                return _logEnd;
            }
        }
    }

    /// <summary>Ends when the group is ready or refused for the first time.</summary>
    public Task Decided => _decided.Task;

    public bool IsRefused => _refusal is not null;

    public bool IsReady => _refusal is null && _isProbed && _links.Length > 0 && Array.TrueForAll(_links, link => link.WasOpened);

    /// <summary>Makes a link part of the group's readiness.</summary>
    public void Add(Link link)
    {
        lock (_decided)
        {
            _links = [.. _links, link];
        }
    }

    /// <summary>The probe has passed, or none is needed.</summary>
    public void Admit()
    {
        _isProbed = true;
        Changed();
    }

    /// <summary>Refuses the group for good.</summary>
    public void Refuse(string sentence)
    {
        if (_refusal is null)
        {
            _refusal = sentence;
            LinksLog.GroupRefused(Log, Endpoint.Name, sentence);
            Node.Failed?.Invoke(new LinkFailure(Index, Endpoint.Name, sentence));
            _decided.TrySetResult();
        }
    }

    /// <summary>Whether the peer is what the configuration says; a sentence when it is not.</summary>
    public string? Judge(LinkPeer peer)
    {
        if (peer.IsTrunkline == IsForeign)
        {
            string sentence = IsForeign
                ? $"{Endpoint.Connector.Address} is a Trunkline broker, but group {Endpoint.Name} is configured as a foreign one: set its kind to trunkline, or correct its address."
                : $"{Endpoint.Connector.Address} is not a Trunkline broker, but group {Endpoint.Name} is configured as one: set its kind to foreign, or correct its address.";
            Refuse(sentence);
            return sentence;
        }

        _refusal = null;
        RaiseTerm(peer.Term);
        return null;
    }

    /// <summary>The log beside the broker reaches this far at least.</summary>
    public void RaiseLogEnd(LogPosition position)
    {
        lock (_logEndLock)
        {
            _logEnd = position > _logEnd ? position : _logEnd;
        }
    }

    /// <summary>A link was opened or lost.</summary>
    public void Changed()
    {
        if (IsReady)
        {
            _decided.TrySetResult();
        }
    }

    public GroupStatus Status()
    {
        Link[] links = _links;
        var states = Array.ConvertAll(links, link => link.Status);
        int away = states.Count(link => !link.IsConnected && link.Kind != LinkKind.Replay);
        (GroupState state, string sentence) = (_refusal, IsReady, away) switch
        {
            ({ } refusal, _, _) => (GroupState.Refused, refusal),
            (_, true, 0) when Endpoint.Log is { IsConnected: false } log => (GroupState.Away, $"All links to {Endpoint.Connector.Address} are connected, but its log is away: {log.Fault}."),
            (_, true, 0) => (GroupState.Ready, $"All links to {Endpoint.Connector.Address} are connected."),
            (_, true, _) => (GroupState.Away, $"{away} of {states.Length} links to {Endpoint.Connector.Address} are lost and dial again."),
            _ when !_isProbed => (GroupState.Connecting, $"{Endpoint.Connector.Address} was not probed yet."),
            _ => (GroupState.Connecting, $"{away} of {states.Length} links to {Endpoint.Connector.Address} were not connected yet."),
        };
        return new GroupStatus(Index, Endpoint.Name, Endpoint.Kind, state, sentence, states);
    }

    private void RaiseTerm(ulong term)
    {
        ulong known = HighestTerm;
        while (term > known)
        {
            known = Interlocked.CompareExchange(ref _highestTerm, term, known);
        }
    }
}
