using System.Text;

namespace Trunkline.Directory.Tests;

/// <summary>Short ways to write and read records in tests.</summary>
internal static class Records
{
    internal static SessionField Field(string name, string value) => new(name, Encoding.UTF8.GetBytes(value));

    internal static SessionChange Sets(params (string Name, string Value)[] fields) => new() { Sets = [.. fields.Select(f => Field(f.Name, f.Value))] };

    internal static string Text(this ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    /// <summary>The fields as "name=value" in order, joined by commas.</summary>
    internal static string Text(this StoredSession? session) => session is null
        ? "none"
        : string.Join(',', session.Fields.Select(f => $"{f.Name}={f.Value.Text()}").Order(StringComparer.Ordinal));

    internal static async Task<Claim> MustClaimAsync(this IDirectory directory, string clientId, SessionChange? change = null, long attachNumber = 1)
    {
        DirectoryResult<Claim> claim = await directory.ClaimAsync(new(clientId, attachNumber, "", ExpectedHolder.Free) { Change = change });
        Assert.True(claim.IsOk, $"{claim.Status} {claim.Detail}");
        return claim.Value;
    }

    internal static async Task MustAsync(this ValueTask<DirectoryResult> call) => Assert.Equal(DirectoryStatus.Ok, (await call).Status);

    internal static async Task<StoredSession> MustReadAsync(this IDirectory directory, string clientId)
    {
        DirectoryResult<StoredSession> read = await directory.ReadSessionAsync(clientId);
        Assert.True(read.IsOk, read.Detail);
        return read.Value;
    }

    /// <summary>What is due of a client id: "will@epoch text" and "expiry", in the order in which it is read.</summary>
    internal static async Task<DueItem[]> DueAsync(this IDirectory directory, string clientId)
    {
        DirectoryResult<IReadOnlyList<DueItem>> due = await directory.ReadDueAsync(Bucket.Of(clientId), 100);
        Assert.True(due.IsOk, due.Detail);
        return [.. due.Value.Where(item => item.ClientId == clientId)];
    }
}
