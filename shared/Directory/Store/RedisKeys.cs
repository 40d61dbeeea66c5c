using System.Globalization;
using StackExchange.Redis;

namespace Trunkline.Directory;

/// <summary>
/// Keys and channels. Prefix and schema stand inside the tag, so that one script has one tag and one Cluster slot:
/// <code>
/// {tl1:tier}:state      hash   g generation, at (us), run (identity of the masters' processes), stamped, nodes (version), shape
/// {tl1:tier}:nodes      hash   node id -> NodeInfo as JSON
/// {tl1:tier}:beats      hash   node id -> lease counter
/// {tl1:tier}:dead       zset   node id by time of death (us), the latest 1,000
/// {tl1:tier}:detaching  hash   dead node id -> the node that detaches its sessions
/// {tl1:tier}:slots      hash   v version, m map
/// {tl1:tier}:cp         hash   node id -> its checkpoint (<see cref="PositionWire"/>), until its sessions are detached
/// {tl1:b0042}:meta      hash   g generation, d:(node id) -> time of death (us), the latest few
/// {tl1:b0042}:at        zset   (node id):(client id), all at score 0: who is where, by lexical range
/// {tl1:b0042}:due       zset   by time (us): w:(client id) its will, x:(client id) its expiry, o:(epoch):(client id) a will that stands apart
/// {tl1:b0042}:wills     hash   (epoch):(client id) -> a will that is due whatever becomes of its session
/// {tl1:b0042}:s:(client id)  hash  the directory's own: e epoch, n node, a attach number, i info, v number of the last write;
///                              r a persistent session is stored, x its expiry (s), wd delay of its will (s), we epoch of its will;
///                              h node whose death detached it, c positions from that node's checkpoint.
///                              The session's, opaque here: m (first byte: schema version), p, w, f:..., o:..., q:...
/// tl1:node:(node id), tl1:all   channels
/// </code>
/// Fields that a version does not know are left alone, so that two versions live side by side; a change of meaning needs a new schema.
/// </summary>
internal sealed class RedisKeys
{
    /// <summary>Version of the layout; two versions live side by side on one Redis.</summary>
    internal const int Schema = 1;

    private readonly string _prefix;
    private readonly RedisKey[] _meta = new RedisKey[Bucket.Count];
    private readonly RedisKey[] _at = new RedisKey[Bucket.Count];
    private readonly RedisKey[] _due = new RedisKey[Bucket.Count];
    private readonly RedisKey[] _wills = new RedisKey[Bucket.Count];
    private readonly string[] _session = new string[Bucket.Count];
    private readonly RedisKey _state, _nodes, _beats, _dead, _detaching, _slots, _checkpoints;

    internal RedisKeys(string prefix)
    {
        _prefix = string.Create(CultureInfo.InvariantCulture, $"{prefix}{Schema}:");
        for (int i = 0; i < Bucket.Count; i++)
        {
            string tag = string.Create(CultureInfo.InvariantCulture, $"{{{_prefix}b{i:d4}}}");
            _meta[i] = tag + ":meta";
            _at[i] = tag + ":at";
            _due[i] = tag + ":due";
            _wills[i] = tag + ":wills";
            _session[i] = tag + ":s:";
        }

        string tier = $"{{{_prefix}tier}}:";
        _state = tier + "state";
        _nodes = tier + "nodes";
        _beats = tier + "beats";
        _dead = tier + "dead";
        _detaching = tier + "detaching";
        _slots = tier + "slots";
        _checkpoints = tier + "cp";
    }

    internal RedisChannel All => new(_prefix + "all", RedisChannel.PatternMode.Literal);

    internal RedisChannel Node(NodeId node) => new($"{_prefix}node:{node}", RedisChannel.PatternMode.Literal);

    internal RedisKey[] State() => [_state];

    internal RedisKey[] Tier() => [_state, _nodes, _beats, _dead, _detaching, _slots, _checkpoints];

    internal RedisKey[] Slots() => [_slots];

    internal RedisKey[] Meta(int bucket) => [_meta[bucket]];

    internal RedisKey[] MetaAndAt(int bucket) => [_meta[bucket], _at[bucket]];

    internal RedisKey[] Due(int bucket) => [_meta[bucket], _at[bucket], _due[bucket], _wills[bucket]];

    internal RedisKey[] Session(string clientId)
    {
        int bucket = Bucket.Of(clientId);
        return [_meta[bucket], _at[bucket], _due[bucket], _wills[bucket], _session[bucket] + clientId];
    }

    internal RedisKey[] Sessions(int bucket, IReadOnlyList<string> clientIds)
    {
        var keys = new RedisKey[4 + clientIds.Count];
        keys[0] = _meta[bucket];
        keys[1] = _at[bucket];
        keys[2] = _due[bucket];
        keys[3] = _wills[bucket];
        for (int i = 0; i < clientIds.Count; i++)
        {
            keys[4 + i] = _session[bucket] + clientIds[i];
        }

        return keys;
    }
}
