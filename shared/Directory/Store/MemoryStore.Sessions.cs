namespace Trunkline.Directory;

/// <content>Steps on sessions.</content>
internal sealed partial class MemoryStore
{
    /// <inheritdoc/>
    public ValueTask<DirectoryResult<int>> DetachAsync(NodeId victim, CancellationToken cancellation) =>
        Step(
            contents =>
            {
                contents.Fenced.Add(victim);
                contents.Detaching.Remove(victim);
                string[] held = [.. contents.Sessions.Where(s => s.Value.Token.Node == victim).Select(s => s.Key)];
                foreach (string clientId in held)
                {
                    contents.Sessions.Remove(clientId);
                }

                return held.Length;
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Answer<Claim>>> ClaimAsync(ClaimRequest request, NodeId node, string generation, long floor, CancellationToken cancellation) =>
        Step<Answer<Claim>>(
            contents =>
            {
                if (!IsCurrent(contents, generation))
                {
                    return new(Finding.WrongGeneration, default);
                }

                if (contents.Fenced.Contains(node))
                {
                    return new(Finding.Dead, default);
                }

                SessionToken old = contents.Sessions.GetValueOrDefault(request.ClientId).Token;
                if (request.Expecting == ExpectedHolder.Exactly && old != request.Expected)
                {
                    return new(Finding.Stale, new Claim(SessionToken.None, old, false));
                }

                var token = new SessionToken(Math.Max(Math.Max(old.Epoch + 1, memory.NowUs()), floor), node);
                contents.Sessions[request.ClientId] = new(token, request.AttachNumber, request.Info);
                return new(Finding.Ok, new Claim(token, old, false));
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Answer<SessionToken>>> ReleaseAsync(string clientId, SessionToken token, CancellationToken cancellation) =>
        Step<Answer<SessionToken>>(
            contents =>
            {
                if (!contents.Sessions.TryGetValue(clientId, out MemorySession stored))
                {
                    return new(Finding.Ok, SessionToken.None);
                }

                if (stored.Token != token)
                {
                    return new(Finding.Stale, stored.Token);
                }

                contents.Sessions.Remove(clientId);
                return new(Finding.Ok, SessionToken.None);
            },
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Holding>> LookUpAsync(string clientId, CancellationToken cancellation) =>
        Step(
            contents => contents.Sessions.TryGetValue(clientId, out MemorySession stored)
                ? new Holding(stored.Token, stored.AttachNumber, stored.Info, false)
                : new Holding(SessionToken.None, 0, "", false),
            cancellation);

    /// <inheritdoc/>
    public ValueTask<DirectoryResult<Answer<HeldFinding[]>>> CompareAsync(
        int bucket, ReadOnlyMemory<HeldSession> held, NodeId node, string generation, bool restore, CancellationToken cancellation) =>
        Step<Answer<HeldFinding[]>>(
            contents =>
            {
                if (!IsCurrent(contents, generation))
                {
                    return new(Finding.WrongGeneration, []);
                }

                if (contents.Fenced.Contains(node))
                {
                    return new(Finding.Dead, []);
                }

                var findings = new HeldFinding[held.Length];
                for (int i = 0; i < findings.Length; i++)
                {
                    findings[i] = Compare(contents, held.Span[i], restore);
                }

                return new(Finding.Ok, findings);
            },
            cancellation);

    private static HeldFinding Compare(MemoryContents contents, HeldSession held, bool restore)
    {
        SessionToken stored = contents.Sessions.GetValueOrDefault(held.ClientId).Token;
        if (stored == held.Token)
        {
            return new(held, HeldStanding.Held, stored);
        }

        if (!stored.IsNone && stored.Epoch >= held.Token.Epoch)
        {
            return new(held, HeldStanding.Stale, stored);
        }

        if (!restore)
        {
            return new(held, HeldStanding.Missing, stored);
        }

        contents.Sessions[held.ClientId] = new(held.Token, held.AttachNumber, held.Info);
        return new(held, HeldStanding.Restored, stored);
    }

    private static bool IsCurrent(MemoryContents contents, string generation) =>
        contents.Stamped && contents.Generation == generation && generation.Length > 0;
}
