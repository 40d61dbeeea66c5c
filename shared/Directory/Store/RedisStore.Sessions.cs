using StackExchange.Redis;
using Trunkline.Sessions;

namespace Trunkline.Directory;

/// <content>Steps on the buckets.</content>
internal sealed partial class RedisStore
{
    // Scripts on their way at a time when all buckets are visited, so that claims still get through between them.
    private const int SweepWidth = 32;

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<Answer<Claim>>> ClaimAsync(
        ClaimRequest request, NodeId node, string generation, long floor, long number, CancellationToken cancellation)
    {
        List<RedisValue> arguments =
        [
            request.ClientId, generation, node.ToString(), request.AttachNumber, request.Info, floor,
            request.Expecting switch { ExpectedHolder.Any => "A", ExpectedHolder.Exactly => "E", _ => "F" },
            request.Expected.Epoch, request.Expected.IsNone ? "" : request.Expected.Node.ToString(),
            request.KnownVersion == 0 ? 255 : request.KnownVersion, number,
        ];
        Append(arguments, request.Change ?? SessionChange.None);
        DirectoryResult<RedisResult[]> result = await RunAsync(
            RedisScripts.Claim, _keys.Session(request.ClientId), [.. arguments], cancellation);
        if (!result.IsOk)
        {
            return DirectoryResult<Answer<Claim>>.Failed(result.Status, result.Detail);
        }

        RedisResult[] reply = result.Value;
        Finding finding = FindingOf(reply[0]);
        if (finding != Finding.Ok)
        {
            return DirectoryResult<Answer<Claim>>.Of(
                new(finding, reply.Length < 5 ? default : new(SessionToken.None, Token(reply[2], reply[3]), Number(reply[4]) == 1)));
        }

        SessionToken previous = Token(reply[2], reply[3]);
        StoredSession record = Session(reply[6]);
        return DirectoryResult<Answer<Claim>>.Of(new(finding, new(new SessionToken(Number(reply[1]), node), previous, Number(reply[4]) == 1)
        {
            Record = record.Exists ? record : null,
            OwesWill = Number(reply[5]) == 1,
        }));
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<Answer<SessionToken>>> ReleaseAsync(string clientId, SessionToken token, CancellationToken cancellation)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(
            RedisScripts.Release, _keys.Session(clientId), [clientId, token.Epoch, token.Node.ToString()], cancellation);
        return result.IsOk
            ? DirectoryResult<Answer<SessionToken>>.Of(new(FindingOf(result.Value[0]), Token(result.Value[1], result.Value[2])))
            : DirectoryResult<Answer<SessionToken>>.Failed(result.Status, result.Detail);
    }

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Holding>> LookUpAsync(string clientId, CancellationToken cancellation) =>
        LookUpAsync(RedisScripts.LookUp, clientId, [], cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Holding>> VoidClaimsAsync(string clientId, NodeId node, long number, CancellationToken cancellation) =>
        LookUpAsync(RedisScripts.VoidClaims, clientId, [node.ToString(), number], cancellation);

    private async ValueTask<DirectoryResult<Holding>> LookUpAsync(
        RedisScript script, string clientId, RedisValue[] arguments, CancellationToken cancellation)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(script, _keys.Session(clientId), arguments, cancellation);
        if (!result.IsOk)
        {
            return DirectoryResult<Holding>.Failed(result.Status, result.Detail);
        }

        RedisResult[] reply = result.Value;
        return DirectoryResult<Holding>.Of(new(Token(reply[1], reply[2]), Number(reply[3]), (string?)reply[4] ?? "", Number(reply[5]) == 1));
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<Answer<HeldFinding[]>>> CompareAsync(
        int bucket, ReadOnlyMemory<HeldSession> held, NodeId node, string generation, long? restore, CancellationToken cancellation)
    {
        var ids = new string[held.Length];
        List<RedisValue> arguments = [generation, node.ToString(), restore.HasValue ? "1" : "0"];
        for (int i = 0; i < held.Length; i++)
        {
            HeldSession session = held.Span[i];
            ids[i] = session.ClientId;
            arguments.AddRange([session.ClientId, session.Token.Epoch, session.AttachNumber, session.Info, restore ?? 0]);
            Append(arguments, (restore.HasValue ? session.Record : null) ?? SessionChange.None);
        }

        DirectoryResult<RedisResult[]> result = await RunAsync(RedisScripts.Compare, _keys.Sessions(bucket, ids), [.. arguments], cancellation);
        if (!result.IsOk)
        {
            return DirectoryResult<Answer<HeldFinding[]>>.Failed(result.Status, result.Detail);
        }

        RedisResult[] reply = result.Value;
        var findings = new HeldFinding[reply.Length / 3];
        for (int i = 0; i < findings.Length; i++)
        {
            HeldStanding standing = (string?)reply[1 + 3 * i] switch
            {
                "H" => HeldStanding.Held,
                "S" => HeldStanding.Stale,
                "R" => HeldStanding.Restored,
                _ => HeldStanding.Missing,
            };
            findings[i] = new(held.Span[i], standing, Token(reply[2 + 3 * i], reply[3 + 3 * i]));
        }

        return DirectoryResult<Answer<HeldFinding[]>>.Of(new(FindingOf(reply[0]), findings));
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult> StampBucketsAsync(string generation, CancellationToken cancellation)
    {
        DirectoryResult<int> swept = await SweepAsync(
            async bucket => (await RunAsync(RedisScripts.Stamp, _keys.Meta(bucket), [generation], cancellation)) is { IsOk: false } failed
                ? DirectoryResult<int>.Failed(failed.Status, failed.Detail)
                : DirectoryResult<int>.Of(0));
        if (!swept.IsOk)
        {
            return swept.WithoutValue();
        }

        DirectoryResult<RedisResult[]> noted = await RunAsync(RedisScripts.Stamped, _keys.State(), [generation], cancellation);
        return noted.WithoutValue();
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<int>> DetachAsync(NodeId victim, NodeCheckpoint? checkpoint, CancellationToken cancellation)
    {
        Dictionary<string, IReadOnlyList<LogPosition>> laggards = [];
        foreach ((string clientId, IReadOnlyList<LogPosition> positions) in checkpoint?.Laggards ?? [])
        {
            laggards[clientId] = positions;
        }

        byte[] common = checkpoint is null ? [] : PositionWire.Write(checkpoint.Positions);
        DirectoryResult<int> swept = await SweepAsync(bucket => DetachBucketAsync(
            bucket, victim, checkpoint?.AttachNumber ?? -1,
            id => laggards.TryGetValue(id, out IReadOnlyList<LogPosition>? own) ? PositionWire.Write(own) : common, cancellation));
        if (!swept.IsOk)
        {
            return swept;
        }

        DirectoryResult<RedisResult[]> noted = await RunAsync(RedisScripts.Detached, _keys.Tier(), [victim.ToString()], cancellation);
        return noted.IsOk ? swept : DirectoryResult<int>.Failed(noted.Status, noted.Detail);
    }

    private async Task<DirectoryResult<int>> DetachBucketAsync(
        int bucket, NodeId victim, long covered, Func<string, byte[]> positionsOf, CancellationToken cancellation)
    {
        int count = 0;
        string name = victim.ToString();
        while (true)
        {
            DirectoryResult<RedisResult[]> marked = await RunAsync(RedisScripts.DetachMark, _keys.MetaAndAt(bucket), [name], cancellation);
            if (!marked.IsOk)
            {
                return DirectoryResult<int>.Failed(marked.Status, marked.Detail);
            }

            var members = (RedisResult[])marked.Value[1]!;
            if (members.Length == 0)
            {
                return DirectoryResult<int>.Of(count);
            }

            string[] ids = [.. members.Select(m => ((string)m!)[(name.Length + 1)..])];
            DirectoryResult<RedisResult[]> detached = await RunAsync(
                RedisScripts.DetachSessions, _keys.Sessions(bucket, ids),
                [name, covered, .. ids.SelectMany(id => new RedisValue[] { id, positionsOf(id) })], cancellation);
            if (!detached.IsOk)
            {
                return DirectoryResult<int>.Failed(detached.Status, detached.Detail);
            }

            count += (int)Number(detached.Value[1]);
        }
    }

    // Visits every bucket, some at a time; the sum, or the first failure.
    private static async Task<DirectoryResult<int>> SweepAsync(Func<int, Task<DirectoryResult<int>>> visit)
    {
        int next = -1, sum = 0;
        object? failure = null;
        await Task.WhenAll(Enumerable.Range(0, SweepWidth).Select(async _ =>
        {
            int bucket;
            while ((bucket = Interlocked.Increment(ref next)) < Bucket.Count && Volatile.Read(ref failure) is null)
            {
                DirectoryResult<int> visited = await visit(bucket);
                if (!visited.IsOk)
                {
                    Volatile.Write(ref failure, visited);
                }

                Interlocked.Add(ref sum, visited.Value);
            }
        }));
        return failure is DirectoryResult<int> failed ? failed : DirectoryResult<int>.Of(sum);
    }
}
