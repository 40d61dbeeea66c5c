using System.Globalization;
using System.Runtime.InteropServices;
using StackExchange.Redis;
using Trunkline.Sessions;

namespace Trunkline.Directory;

/// <content>Steps on records of sessions, what is due of them, and checkpoints.</content>
internal sealed partial class RedisStore
{
    private const int DueReplyParts = 4;

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<StoredSession>> ReadSessionAsync(string clientId, CancellationToken cancellation)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(RedisScripts.ReadSession, _keys.Session(clientId), [], cancellation);
        return result.IsOk
            ? DirectoryResult<StoredSession>.Of(Session(result.Value[1]))
            : DirectoryResult<StoredSession>.Failed(result.Status, result.Detail);
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<Answer<SessionToken>[]>> WriteAsync(
        int bucket, ReadOnlyMemory<SessionWrite> writes, long number, bool detach, CancellationToken cancellation)
    {
        var ids = new string[writes.Length];
        List<RedisValue> arguments = [];
        for (int i = 0; i < writes.Length; i++)
        {
            SessionWrite write = writes.Span[i];
            ids[i] = write.ClientId;
            arguments.AddRange([write.ClientId, write.Token.Epoch, write.Token.Node.ToString(), number, detach ? "D" : "W"]);
            Append(arguments, write.Change);
        }

        DirectoryResult<RedisResult[]> result = await RunAsync(
            detach ? RedisScripts.Detach : RedisScripts.Write, _keys.Sessions(bucket, ids), [.. arguments], cancellation);
        if (!result.IsOk)
        {
            return DirectoryResult<Answer<SessionToken>[]>.Failed(result.Status, result.Detail);
        }

        var found = new Answer<SessionToken>[writes.Length];
        for (int i = 0; i < found.Length; i++)
        {
            found[i] = new(FindingOf(result.Value[1 + 3 * i]), Token(result.Value[2 + 3 * i], result.Value[3 + 3 * i]));
        }

        return DirectoryResult<Answer<SessionToken>[]>.Of(found);
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<Finding>> WriteCheckpointAsync(NodeId node, NodeCheckpoint checkpoint, CancellationToken cancellation)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(
            RedisScripts.WriteCheckpoint, _keys.Tier(), [node.ToString(), PositionWire.Write(checkpoint)], cancellation);
        return result.IsOk ? DirectoryResult<Finding>.Of(FindingOf(result.Value[0])) : DirectoryResult<Finding>.Failed(result.Status, result.Detail);
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<NodeCheckpoint?>> ReadCheckpointAsync(NodeId node, CancellationToken cancellation)
    {
        DirectoryResult<RedisResult[]> result = await RunAsync(RedisScripts.ReadCheckpoint, _keys.Tier(), [node.ToString()], cancellation);
        if (!result.IsOk)
        {
            return DirectoryResult<NodeCheckpoint?>.Failed(result.Status, result.Detail);
        }

        byte[] bytes = (byte[]?)result.Value[1] ?? [];
        NodeCheckpoint? checkpoint = PositionWire.ReadCheckpoint(bytes);
        if (PositionWire.IsNewer(bytes))
        {
            _meters.Ended("read_checkpoint", "newer_record");
            return DirectoryResult<NodeCheckpoint?>.Failed(
                DirectoryStatus.NewerRecord, "the checkpoint was written by a newer version, and is left to a proxy of that version");
        }

        if (checkpoint is null && bytes.Length > 0)
        {
            _meters.Ended("read_checkpoint", "damaged");
            DirectoryLog.CheckpointUnreadable(_environment.Logger, node, bytes.Length);
        }

        return DirectoryResult<NodeCheckpoint?>.Of(checkpoint);
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<IReadOnlyList<DueItem>>> ReadDueAsync(int bucket, int maximum, CancellationToken cancellation)
    {
        DirectoryResult<RedisResult[]> listed = await RunAsync(RedisScripts.ListDue, _keys.Due(bucket), [maximum], cancellation);
        if (!listed.IsOk)
        {
            return DirectoryResult<IReadOnlyList<DueItem>>.Failed(listed.Status, listed.Detail);
        }

        List<DueItem> items = [];
        List<string> members = [];
        for (int i = 1; i + 1 < listed.Value.Length; i += 2)
        {
            var member = (string)listed.Value[i]!;
            if (DueMember.TryReadOwed(member, out long epoch, out string clientId))
            {
                items.Add(new(clientId, epoch, DueKind.Will, (byte[]?)listed.Value[i + 1] ?? []));
            }
            else if (DueMember.IsSession(member))
            {
                members.Add(member);
            }
        }

        foreach (string[] chunk in members.Chunk(Bucket.MaxBatch))
        {
            DirectoryResult<RedisResult[]> read = await RunAsync(
                RedisScripts.ReadDue, _keys.Sessions(bucket, [.. chunk.Select(DueMember.ClientIdOf)]), [.. chunk.Select(m => (RedisValue)m)], cancellation);
            if (!read.IsOk)
            {
                return DirectoryResult<IReadOnlyList<DueItem>>.Failed(read.Status, read.Detail);
            }

            for (int i = 0; i < chunk.Length; i++)
            {
                if (Item(chunk[i], read.Value.AsSpan(1 + DueReplyParts * i, DueReplyParts)) is { } item)
                {
                    items.Add(item);
                }
            }
        }

        return DirectoryResult<IReadOnlyList<DueItem>>.Of(items);
    }

    /// <inheritdoc/>
    public async ValueTask<DirectoryResult<Finding>> FinishDueAsync(DueItem item, CancellationToken cancellation)
    {
        RedisScript script = item.Kind == DueKind.Will ? RedisScripts.FinishWill : RedisScripts.FinishExpiry;
        DirectoryResult<RedisResult[]> result = await RunAsync(script, _keys.Session(item.ClientId), [item.ClientId, item.Epoch], cancellation);
        return result.IsOk ? DirectoryResult<Finding>.Of(FindingOf(result.Value[0])) : DirectoryResult<Finding>.Failed(result.Status, result.Detail);
    }

    private static DueItem? Item(string member, ReadOnlySpan<RedisResult> reply) =>
        (string?)reply[0] != "1" ? null
        : DueMember.IsWill(member) ? new(DueMember.ClientIdOf(member), Number(reply[2]), DueKind.Will, (byte[]?)reply[3] ?? [])
        : new(DueMember.ClientIdOf(member), Number(reply[1]), DueKind.Expiry, default);

    // As RedisScriptParts draws it.
    private static void Append(List<RedisValue> arguments, SessionChange change)
    {
        arguments.Add(change.ClearsAll ? "1" : "0");
        arguments.Add(change.WillWaitSeconds is { } wait ? string.Create(CultureInfo.InvariantCulture, $"W{wait}") : change.DropsWill ? "1" : "0");
        arguments.Add(change.ExpirySeconds is { } expiry ? expiry.ToString(CultureInfo.InvariantCulture) : "");
        arguments.Add(change.WillDelaySeconds is { } delay ? delay.ToString(CultureInfo.InvariantCulture) : "");
        arguments.Add(change.Sets.Count);
        arguments.Add(change.Deletes.Count);
        foreach (SessionField field in change.Sets)
        {
            arguments.Add(field.Name);
            arguments.Add(Bytes(field.Value));
        }

        foreach (string name in change.Deletes)
        {
            arguments.Add(name);
        }
    }

    private static byte[] Bytes(ReadOnlyMemory<byte> value) =>
        MemoryMarshal.TryGetArray(value, out ArraySegment<byte> segment) && segment.Count == segment.Array!.Length ? segment.Array : value.ToArray();

    private StoredSession Session(RedisResult flat)
    {
        var parts = (RedisResult[])flat!;
        RedisResult? epoch = null, node = null, lastNode = null, checkpoint = null;
        long attachNumber = 0, expiry = 0;
        bool exists = false;
        uint? willDelay = null;
        string info = "";
        List<SessionField> fields = new(parts.Length / 2);
        for (int i = 0; i + 1 < parts.Length; i += 2)
        {
            var name = (string)parts[i]!;
            switch (name)
            {
                case "e": epoch = parts[i + 1]; break;
                case "n": node = parts[i + 1]; break;
                case "a": attachNumber = Number(parts[i + 1]); break;
                case "i": info = (string?)parts[i + 1] ?? ""; break;
                case "r": exists = true; break;
                case "x": expiry = Number(parts[i + 1]); break;
                case "wd": willDelay = (uint)Math.Clamp(Number(parts[i + 1]), 0, uint.MaxValue); break;
                case "h": lastNode = parts[i + 1]; break;
                case "c": checkpoint = parts[i + 1]; break;
                default:
                    if (SessionField.IsName(name))
                    {
                        fields.Add(new(name, (byte[]?)parts[i + 1] ?? []));
                    }

                    break;
            }
        }

        SessionToken token = epoch is null || node is null ? SessionToken.None : Token(epoch, node);
        return new(token, attachNumber, info, exists, (uint)Math.Clamp(expiry, 0, uint.MaxValue), fields)
        {
            LastNode = lastNode is null ? NodeId.None : Node(lastNode),
            Checkpoint = checkpoint is null ? null : Checkpoint(checkpoint),
            WillDelaySeconds = willDelay,
        };
    }

    private LogPosition[]? Checkpoint(RedisResult stored)
    {
        if (PositionWire.TryRead((byte[]?)stored ?? [], out LogPosition[] positions))
        {
            return positions;
        }

        _meters.Ended("read_session", "damaged");
        return null;
    }
}
