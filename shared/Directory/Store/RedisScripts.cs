using System.Security.Cryptography;
using System.Text;

namespace Trunkline.Directory;

/// <summary>A script and its name for counters.</summary>
internal sealed record RedisScript(string Name, string Text)
{
    /// <summary>What Redis knows it by once it has seen it.</summary>
    internal byte[] Hash { get; } = HashOf(Text);

    /// <summary>Done only when the replicas have it, where <c>Directory:Durability</c> asks for replicas.</summary>
    internal bool MustNotBeLost { get; init; }

#pragma warning disable CA5350 // A name that Redis chose, not a secret.
    private static byte[] HashOf(string text) => SHA1.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
}

/// <summary>
/// The scripts. Each touches the declared keys only (<see cref="RedisKeys"/>), answers with an array that begins with a
/// letter (O done, S stale, D dead, G generation, R refused, M missing, N newer, L late), and reads the clock by TIME: effects are replicated,
/// not the script (Redis 5 and later). Numbers above 2^53 would lose digits in Lua; microseconds reach that in the year 2255.
/// </summary>
internal static partial class RedisScripts
{
    // ARGV candidate, lost generation, identity of the masters: a restarted or promoted server's past may be older than the
    // one that was seen before.
    internal static readonly RedisScript OpenGeneration = new("open", """
        local s = redis.call('HMGET', KEYS[1], 'g', 'at', 'run', 'stamped')
        local t = redis.call('TIME')
        local now = t[1] * 1000000 + t[2]
        if not s[1] or s[3] ~= ARGV[3] or (s[1] == ARGV[2] and s[4] == '1') then
          redis.call('HSET', KEYS[1], 'g', ARGV[1], 'at', string.format('%.0f', now), 'run', ARGV[3], 'stamped', '0')
          return {'O', ARGV[1], '0', '0'}
        end
        return {'O', s[1], string.format('%.0f', now - (tonumber(s[2]) or 0)), s[4] or '0'}
        """);

    internal static readonly RedisScript Stamp = new("stamp", """
        redis.call('HSET', KEYS[1], 'g', ARGV[1])
        return {'O'}
        """);

    internal static readonly RedisScript Stamped = new("stamped", """
        if redis.call('HGET', KEYS[1], 'g') ~= ARGV[1] then return {'G'} end
        redis.call('HSET', KEYS[1], 'stamped', '1')
        return {'O'}
        """);

    // KEYS state nodes beats dead detaching slots checkpoints
    internal static readonly RedisScript Register = new("register", """
        if redis.call('ZSCORE', KEYS[4], ARGV[1]) then return {'D', ''} end
        local s = redis.call('HMGET', KEYS[1], 'g', 'shape')
        if not s[1] then return {'G', ''} end
        if s[2] and s[2] ~= ARGV[3] then return {'R', s[2]} end
        redis.call('HSET', KEYS[1], 'shape', ARGV[3])
        redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
        redis.call('HINCRBY', KEYS[3], ARGV[1], 1)
        redis.call('HINCRBY', KEYS[1], 'nodes', 1)
        return {'O', ARGV[3]}
        """);

    internal static readonly RedisScript Unregister = new("unregister", """
        redis.call('HDEL', KEYS[2], ARGV[1])
        redis.call('HDEL', KEYS[3], ARGV[1])
        redis.call('HDEL', KEYS[7], ARGV[1])
        redis.call('HINCRBY', KEYS[1], 'nodes', 1)
        return {'O'}
        """);

    internal static readonly RedisScript Beat = new("beat", """
        local standing = 'O'
        if redis.call('ZSCORE', KEYS[4], ARGV[1]) then standing = 'D'
        elseif redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then standing = 'M'
        else redis.call('HINCRBY', KEYS[3], ARGV[1], 1) end
        local s = redis.call('HMGET', KEYS[1], 'g', 'at', 'stamped', 'nodes')
        local t = redis.call('TIME')
        local age = string.format('%.0f', t[1] * 1000000 + t[2] - (tonumber(s[2]) or 0))
        return {standing, s[1] or '', age, s[3] or '0', s[4] or '0', redis.call('HGET', KEYS[6], 'v') or '0',
          redis.call('HGETALL', KEYS[3]), redis.call('HGETALL', KEYS[5])}
        """);

    internal static readonly RedisScript ReadNodes = new("nodes", """
        return {'O', redis.call('HGET', KEYS[1], 'nodes') or '0', redis.call('HVALS', KEYS[2]), redis.call('ZRANGE', KEYS[4], 0, -1)}
        """);

    internal static readonly RedisScript DeclareDead = new("declare_dead", """
        if redis.call('HGET', KEYS[1], 'g') ~= ARGV[3] then return {'G'} end
        local c = redis.call('HGET', KEYS[3], ARGV[1])
        if not c then return {'M'} end
        if c ~= ARGV[2] then return {'S'} end
        local t = redis.call('TIME')
        redis.call('ZADD', KEYS[4], string.format('%.0f', t[1] * 1000000 + t[2]), ARGV[1])
        redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -1001)
        redis.call('HDEL', KEYS[2], ARGV[1])
        redis.call('HDEL', KEYS[3], ARGV[1])
        redis.call('HSET', KEYS[5], ARGV[1], ARGV[4])
        redis.call('HINCRBY', KEYS[1], 'nodes', 1)
        return {'O'}
        """);

    // Its sessions carry what its checkpoint had of them: the checkpoint itself has served.
    internal static readonly RedisScript Detached = new("detached", """
        redis.call('HDEL', KEYS[5], ARGV[1])
        redis.call('HDEL', KEYS[7], ARGV[1])
        return {'O'}
        """);

    // KEYS state nodes beats dead detaching slots checkpoints. A node that is not registered, or was declared dead, writes none:
    // its last one is frozen. One that comes late, behind a newer one, changes nothing: the number is in the last eight bytes of
    // each that this version of a node writes, and a node's are all of one version.
    internal static readonly RedisScript WriteCheckpoint = new("write_checkpoint", """
        if redis.call('ZSCORE', KEYS[4], ARGV[1]) then return {'D'} end
        if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return {'M'} end
        local old = redis.call('HGET', KEYS[7], ARGV[1]) or ''
        for i = -8, -1 do
          local x, y = string.byte(old, i) or 0, string.byte(ARGV[2], i)
          if x > y then return {'L'} end
          if x < y then break end
        end
        redis.call('HSET', KEYS[7], ARGV[1], ARGV[2])
        return {'O'}
        """);

    internal static readonly RedisScript ReadCheckpoint = new("read_checkpoint", """
        return {'O', redis.call('HGET', KEYS[7], ARGV[1]) or ''}
        """);

    internal static readonly RedisScript ReadSlots = new("read_slots", """
        local s = redis.call('HMGET', KEYS[1], 'v', 'm')
        return {'O', s[1] or '0', s[2] or ''}
        """);

    internal static readonly RedisScript PublishSlots = new("publish_slots", """
        local v = redis.call('HGET', KEYS[1], 'v') or '0'
        if v ~= ARGV[1] then return {'S', v} end
        redis.call('HSET', KEYS[1], 'v', ARGV[2], 'm', ARGV[3])
        return {'O', ARGV[2]}
        """);
}
