using Trunkline.Directory;

namespace Trunkline.Interleavings;

/// <summary>
/// Stands beside the directory and knows of each client identifier who was let write it last: a write under any other token
/// that changed something is a second writer.
/// </summary>
internal sealed class TokenWatch(Ledger ledger)
{
    private readonly Dictionary<string, SessionToken> _holders = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SessionToken> _last = new(StringComparer.Ordinal);

    /// <summary>Told of a node that was declared dead.</summary>
    public Action<NodeId>? Died { get; set; }

    /// <summary>Set where no node is ever held up: then none may be declared dead.</summary>
    public bool NobodyMayDie { get; set; }

    /// <summary>Set where the directory's clock goes back: of a session that has ended nothing is stored, and its next epoch may be lower.</summary>
    public bool EndedMayStartLower { get; set; }

    public ValueTask<DirectoryResult<Answer<Claim>>> Claimed(string clientId, DirectoryMemory memory, Func<ValueTask<DirectoryResult<Answer<Claim>>>> claim)
    {
        bool mayStartLower = EndedMayStartLower && memory.Contents.Records.Find(clientId) is null;
        ValueTask<DirectoryResult<Answer<Claim>>> call = claim();
        DirectoryResult<Answer<Claim>> result = call.GetAwaiter().GetResult();
        if (result is { IsOk: true, Value.Finding: Finding.Ok })
        {
            SessionToken token = result.Value.Value.Token;
            SessionToken last = _last.GetValueOrDefault(clientId);
            if (token.Epoch <= last.Epoch && !mayStartLower)
            {
                ledger.Violate($"the claim of {clientId} got {token} after {last}");
            }

            _last[clientId] = token;
            _holders[clientId] = token;
        }

        return new(result);
    }

    public ValueTask<DirectoryResult<Answer<SessionToken>>> Released(
        string clientId, SessionToken token, ValueTask<DirectoryResult<Answer<SessionToken>>> call)
    {
        DirectoryResult<Answer<SessionToken>> result = call.GetAwaiter().GetResult();
        if (result is { IsOk: true, Value.Finding: Finding.Ok } && _holders.GetValueOrDefault(clientId) == token)
        {
            _holders.Remove(clientId);
        }

        return new(result);
    }

    public ValueTask<DirectoryResult<Answer<SessionToken>[]>> Wrote(
        DirectoryMemory memory, SessionWrite[] writes, bool detach, Func<ValueTask<DirectoryResult<Answer<SessionToken>[]>>> call)
    {
        MemoryHeader[] before = Array.ConvertAll(writes, write => HeaderOf(memory, write.ClientId));
        DirectoryResult<Answer<SessionToken>[]> result = call().GetAwaiter().GetResult();
        for (int i = 0; i < writes.Length && result.IsOk; i++)
        {
            string clientId = writes[i].ClientId;
            if (HeaderOf(memory, clientId) == before[i])
            {
                continue;
            }

            if (_holders.TryGetValue(clientId, out SessionToken holder) && holder != writes[i].Token)
            {
                ledger.Violate($"{writes[i].Token} wrote {clientId}, which {holder} holds");
            }

            if (detach)
            {
                _holders.Remove(clientId);
            }
        }

        return new(result);
    }

    public ValueTask<DirectoryResult<Answer<HeldFinding[]>>> Compared(ValueTask<DirectoryResult<Answer<HeldFinding[]>>> call)
    {
        DirectoryResult<Answer<HeldFinding[]>> result = call.GetAwaiter().GetResult();
        foreach (HeldFinding finding in result is { IsOk: true, Value.Finding: Finding.Ok } ? result.Value.Value : [])
        {
            if (finding.Standing == HeldStanding.Restored)
            {
                _holders[finding.Held.ClientId] = finding.Held.Token;
            }
        }

        return new(result);
    }

    public ValueTask<DirectoryResult<Answer<bool>>> Declared(NodeId victim, ValueTask<DirectoryResult<Answer<bool>>> call)
    {
        DirectoryResult<Answer<bool>> result = call.GetAwaiter().GetResult();
        if (result is { IsOk: true, Value.Finding: Finding.Ok })
        {
            Died?.Invoke(victim);
            if (NobodyMayDie)
            {
                ledger.Violate($"node {victim} was declared dead, but it was never held up");
            }
        }

        return new(result);
    }

    public ValueTask<DirectoryResult<int>> Swept(NodeId victim, ValueTask<DirectoryResult<int>> call)
    {
        foreach (string clientId in _holders.Where(holder => holder.Value.Node == victim).Select(holder => holder.Key).ToArray())
        {
            _holders.Remove(clientId);
        }

        return call;
    }

    private static MemoryHeader HeaderOf(DirectoryMemory memory, string clientId) =>
        memory.Contents.Records.Find(clientId)?.Header ?? default;
}
