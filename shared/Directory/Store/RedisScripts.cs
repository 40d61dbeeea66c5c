namespace Trunkline.Directory;

/// <summary>A script and its name for counters.</summary>
internal sealed record RedisScript(string Name, string Text);

/// <summary>
/// The scripts. Each touches the declared keys only (<see cref="RedisKeys"/>), answers with an array that begins with a
/// letter (O done, S stale, D dead, G generation, R refused, M missing), and reads the clock by TIME: effects are replicated,
/// not the script (Redis 5 and later). Numbers above 2^53 would lose digits in Lua; microseconds reach that in the year 2255.
/// </summary>
internal static class RedisScripts
{
    // The server's run id tells a restarted or promoted server, whose past may be older, from the one that was seen before.
    internal static readonly RedisScript OpenGeneration = new("open", """
        local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
        local s = redis.call('HMGET', KEYS[1], 'g', 'at', 'run', 'stamped')
        local t = redis.call('TIME')
        local now = t[1] * 1000000 + t[2]
        if not s[1] or s[3] ~= run or (s[1] == ARGV[2] and s[4] == '1') then
          redis.call('HSET', KEYS[1], 'g', ARGV[1], 'at', string.format('%.0f', now), 'run', run, 'stamped', '0')
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

    // KEYS state nodes beats dead detaching slots
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

    internal static readonly RedisScript Detached = new("detached", """
        redis.call('HDEL', KEYS[5], ARGV[1])
        return {'O'}
        """);

    // KEYS meta at. The mark fences the dead node off from the bucket; then the caller detaches what this lists.
    internal static readonly RedisScript DetachMark = new("detach_mark", """
        local t = redis.call('TIME')
        redis.call('HSET', KEYS[1], 'd:' .. ARGV[1], string.format('%.0f', t[1] * 1000000 + t[2]))
        if redis.call('HLEN', KEYS[1]) > 130 then
          local all, marks = redis.call('HGETALL', KEYS[1]), {}
          for i = 1, #all, 2 do
            if string.sub(all[i], 1, 2) == 'd:' then marks[#marks + 1] = {all[i], tonumber(all[i + 1]) or 0} end
          end
          table.sort(marks, function(x, y) return x[2] < y[2] end)
          for i = 1, #marks - 64 do redis.call('HDEL', KEYS[1], marks[i][1]) end
        end
        return {'O', redis.call('ZRANGEBYLEX', KEYS[2], '[' .. ARGV[1] .. ':', '(' .. ARGV[1] .. ';', 'LIMIT', 0, 64)}
        """);

    // KEYS meta at session...  ARGV node client id...
    internal static readonly RedisScript DetachSessions = new("detach_sessions", """
        local t = redis.call('TIME')
        local now, count = t[1] * 1000000 + t[2], 0
        for i = 3, #KEYS do
          local s = redis.call('HMGET', KEYS[i], 'e', 'n', 'r')
          if s[2] == ARGV[1] then
            count = count + 1
            if s[3] then
              redis.call('HSET', KEYS[i], 'e', string.format('%.0f', math.max((tonumber(s[1]) or 0) + 1, now)))
              redis.call('HDEL', KEYS[i], 'n', 'a', 'i')
            else
              redis.call('DEL', KEYS[i])
            end
          end
          redis.call('ZREM', KEYS[2], ARGV[1] .. ':' .. ARGV[i - 1])
        end
        return {'O', tostring(count)}
        """);

    // KEYS meta at session  ARGV client id, generation, node, attach, info, floor, expecting (0 or 1), expected epoch, expected node
    internal static readonly RedisScript Claim = new("claim", """
        local m = redis.call('HMGET', KEYS[1], 'g', 'd:' .. ARGV[3])
        if m[1] ~= ARGV[2] then return {'G'} end
        if m[2] then return {'D'} end
        local s = redis.call('HMGET', KEYS[3], 'e', 'n', 'r')
        local e, n, r = s[1] or '0', s[2] or '', s[3] and '1' or '0'
        if ARGV[7] == '1' and (n ~= ARGV[9] or (n ~= '' and e ~= ARGV[8])) then return {'S', '0', e, n, r} end
        local t = redis.call('TIME')
        local new = string.format('%.0f', math.max((tonumber(e) or 0) + 1, t[1] * 1000000 + t[2], tonumber(ARGV[6])))
        redis.call('HSET', KEYS[3], 'e', new, 'n', ARGV[3], 'a', ARGV[4], 'i', ARGV[5])
        if n ~= ARGV[3] then
          if n ~= '' then redis.call('ZREM', KEYS[2], n .. ':' .. ARGV[1]) end
          redis.call('ZADD', KEYS[2], 0, ARGV[3] .. ':' .. ARGV[1])
        end
        return {'O', new, e, n, r}
        """);

    // KEYS meta at session  ARGV client id, epoch, node
    internal static readonly RedisScript Release = new("release", """
        local s = redis.call('HMGET', KEYS[3], 'e', 'n', 'r')
        if not s[2] then return {'O', '0', ''} end
        if s[1] ~= ARGV[2] or s[2] ~= ARGV[3] then return {'S', s[1] or '0', s[2]} end
        if s[3] then redis.call('HDEL', KEYS[3], 'n', 'a', 'i') else redis.call('DEL', KEYS[3]) end
        redis.call('ZREM', KEYS[2], s[2] .. ':' .. ARGV[1])
        return {'O', '0', ''}
        """);

    internal static readonly RedisScript LookUp = new("look_up", """
        local s = redis.call('HMGET', KEYS[3], 'e', 'n', 'a', 'i', 'r')
        return {'O', s[1] or '0', s[2] or '', s[3] or '0', s[4] or '', s[5] and '1' or '0'}
        """);

    // KEYS meta at session...  ARGV generation, node, restore (0 or 1), then per session: client id, epoch, attach, info
    internal static readonly RedisScript Compare = new("compare", """
        local m = redis.call('HMGET', KEYS[1], 'g', 'd:' .. ARGV[2])
        if m[1] ~= ARGV[1] then return {'G'} end
        if m[2] then return {'D'} end
        local out = {'O'}
        for i = 3, #KEYS do
          local a = 4 * (i - 3) + 4
          local id, epoch = ARGV[a], ARGV[a + 1]
          local s = redis.call('HMGET', KEYS[i], 'e', 'n')
          local e, n = s[1] or '0', s[2] or ''
          local mine, theirs = tonumber(epoch) or 0, tonumber(e) or 0
          local found = 'M'
          if e == epoch and n == ARGV[2] then found = 'H'
          elseif theirs > mine or (theirs == mine and n ~= '') then found = 'S'
          elseif ARGV[3] == '1' then
            found = 'R'
            redis.call('HSET', KEYS[i], 'e', epoch, 'n', ARGV[2], 'a', ARGV[a + 2], 'i', ARGV[a + 3])
            if n ~= '' then redis.call('ZREM', KEYS[2], n .. ':' .. id) end
            redis.call('ZADD', KEYS[2], 0, ARGV[2] .. ':' .. id)
          end
          out[#out + 1] = found
          out[#out + 1] = e
          out[#out + 1] = n
        end
        return out
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
