using System.Collections.ObjectModel;
using Trunkline.Sessions;
using Trunkline.Topics;
using Trunkline.Transports;

namespace Trunkline.Directory;

/// <summary>The directory's own part of one session's record; the fields of <see cref="RedisKeys"/> by name.</summary>
internal readonly record struct MemoryHeader(long Epoch, NodeId Node, long AttachNumber, string Info)
{
    /// <summary>Number of the last write under this token.</summary>
    internal long Number { get; init; }

    /// <summary>Session expiry, s; above 0 a persistent session is stored.</summary>
    internal uint ExpirySeconds { get; init; }

    /// <summary>Delay of the stored will, s; null without one.</summary>
    internal uint? WillDelaySeconds { get; init; }

    internal long WillEpoch { get; init; }

    internal NodeId LastNode { get; init; }

    internal IReadOnlyList<LogPosition>? Checkpoint { get; init; }

    internal bool IsHeld => !Node.IsNone;

    /// <summary>Whether its device was sent away, and a claim before the will is due drops it.</summary>
    internal bool WillWaits => !IsHeld && WillEpoch != 0 && WillDelaySeconds is null;

    internal SessionToken Token => IsHeld ? new(Epoch, Node) : SessionToken.None;
}

/// <summary>
/// One session's record. Most sessions end with their connection and have a token, an attach number and an address, no
/// more: what the others need stands apart, and an IPv4 address in eight bytes instead of a string.
/// </summary>
internal sealed class MemorySession(string clientId)
{
    private long _epoch;
    private NodeId _node;
    private long _attachNumber;
    private ulong _address;
    private Kept? _kept;

    internal string ClientId { get; } = clientId;

    /// <summary>The node of <see cref="Header"/>.</summary>
    internal NodeId Node => _node;

    internal MemoryHeader Header
    {
        get => new(_epoch, _node, _attachNumber, _address != 0 ? NetworkAddress.UnpackIPv4(_address).ToString() : _kept?.Info ?? "")
        {
            Number = _kept?.Number ?? 0,
            ExpirySeconds = _kept?.ExpirySeconds ?? 0,
            WillDelaySeconds = _kept?.WillDelaySeconds,
            WillEpoch = _kept?.WillEpoch ?? 0,
            LastNode = _kept?.LastNode ?? NodeId.None,
            Checkpoint = _kept?.Checkpoint,
        };

        set
        {
            _epoch = value.Epoch;
            _node = value.Node;
            _attachNumber = value.AttachNumber;
            _address = Pack(value.Info);
            string info = _address != 0 ? "" : value.Info;
            if (_kept is null && info.Length == 0 && IsPlain(value))
            {
                return;
            }

            Kept kept = _kept ??= new();
            kept.Info = info;
            kept.Number = value.Number;
            kept.ExpirySeconds = value.ExpirySeconds;
            kept.WillDelaySeconds = value.WillDelaySeconds;
            kept.WillEpoch = value.WillEpoch;
            kept.LastNode = value.LastNode;
            kept.Checkpoint = value.Checkpoint;
        }
    }

    internal IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Fields =>
        (IReadOnlyDictionary<string, ReadOnlyMemory<byte>>?)_kept?.Fields ?? ReadOnlyDictionary<string, ReadOnlyMemory<byte>>.Empty;

    internal void SetField(string name, ReadOnlyMemory<byte> value) =>
        ((_kept ??= new()).Fields ??= new(StringComparer.Ordinal))[name] = value;

    internal bool DeleteField(string name) => _kept?.Fields?.Remove(name) == true;

    internal StoredSession ToStored()
    {
        MemoryHeader header = Header;
        return new(
            header.Token, header.AttachNumber, header.Info, header.ExpirySeconds > 0, header.ExpirySeconds,
            [.. Fields.Select(field => new SessionField(field.Key, field.Value))])
        {
            LastNode = header.LastNode,
            Checkpoint = header.Checkpoint,
            WillDelaySeconds = header.WillDelaySeconds,
        };
    }

    private static bool IsPlain(in MemoryHeader header) =>
        header is { Number: 0, ExpirySeconds: 0, WillDelaySeconds: null, WillEpoch: 0, LastNode.IsNone: true, Checkpoint: null };

    /// <summary>The address in 8 bytes, when exactly this text can be had back from them; else 0.</summary>
    private static ulong Pack(string info)
    {
        if (!NetworkAddress.TryParse(info, out NetworkAddress address) || address.PackIPv4() is not (not 0 and var packed))
        {
            return 0;
        }

        Span<char> text = stackalloc char[NetworkAddress.MaximumTextLength];
        return address.TryFormat(text, out int length) && text[..length].SequenceEqual(info) ? packed : 0;
    }

    /// <summary>What only a session has that outlives its connection, has a will, or came from elsewhere than an IPv4 address.</summary>
    private sealed class Kept
    {
        public string Info = "";
        public long Number;
        public uint ExpirySeconds;
        public uint? WillDelaySeconds;
        public long WillEpoch;
        public NodeId LastNode;
        public IReadOnlyList<LogPosition>? Checkpoint;
        public Dictionary<string, ReadOnlyMemory<byte>>? Fields;
    }

    /// <summary>Finds records by their client id.</summary>
    internal readonly struct ByClientId : IItemRules<string, MemorySession>
    {
        public static uint HashOf(in string key) => (uint)key.GetHashCode(StringComparison.Ordinal);

        public static string KeyOf(MemorySession item) => item.ClientId;

        public static bool AreEqual(in string left, in string right) => string.Equals(left, right, StringComparison.Ordinal);
    }
}
