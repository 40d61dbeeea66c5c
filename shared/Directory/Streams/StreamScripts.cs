namespace Trunkline.Directory;

/// <summary>
/// The scripts on a group's stream (<see cref="StreamKeys"/>). Every answer begins with a letter and the server's time in ms.
/// </summary>
internal static class StreamScripts
{
    private const string Clock = """
        local t = redis.call('TIME')
        local now = t[1] * 1000 + math.floor(t[2] / 1000)
        local function text(n) return string.format('%.0f', n) end

        """;

    // Marks stand at a 64th of the limits; everything up to a mark is cut at once, so that the last id that is gone is known
    // exactly. A call cuts a 16th of the limit, or twice what it appended, where that is more: no call blocks Redis for
    // longer than its own messages ask for, and what is above the limit shrinks with each call. The newest mark falls by age
    // only, or one batch above the limit would cut itself.
    private const string Retain = """
        local function retain(bytes, age, added)
          local s = redis.call('HMGET', KEYS[3], 'b', 'l', 'mb', 'mt', 'rb')
          if not s[2] then return end
          local total, gone = tonumber(s[1]) or 0, tonumber(s[5]) or 0
          local since, at = total - (tonumber(s[3]) or 0), tonumber(s[4]) or 0
          if since > 0 and (since >= bytes / 64 or now - at >= age / 64) then
            redis.call('RPUSH', KEYS[5], text(total) .. ' ' .. s[2] .. ' ' .. text(now))
            redis.call('HSET', KEYS[3], 'mb', text(total), 'mt', text(now))
          end
          local start, most = gone, math.max(bytes / 16, 2 * added)
          for i = 1, 128 do
            local mark = redis.call('LINDEX', KEYS[5], 0)
            if not mark then return end
            local b, ms, seq, when = string.match(mark, '^(%d+) (%d+)%-(%d+) (%d+)$')
            if now - tonumber(when) <= age and (total - gone <= bytes or redis.call('LLEN', KEYS[5]) == 1) then return end
            if gone > start and tonumber(b) - start > most then return end
            redis.call('LPOP', KEYS[5])
            redis.call('XTRIM', KEYS[1], 'MINID', ms .. '-' .. text(seq + 1))
            redis.call('HSET', KEYS[3], 'rb', b, 'r', ms .. '-' .. seq)
            redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', ms)
            gone = tonumber(b)
          end
        end

        """;

    /// <summary>
    /// ARGV producer, confirmed, first, known ms, known sequence, bytes, age (ms), producer memory (ms), then data and id of
    /// each message. A number at or below the producer's last is a repeat. A number that is not the next one after it, or
    /// after what the producer knows to be appended, means that a batch before this one was lost on its way: nothing is done.
    /// </summary>
    internal static readonly RedisScript Append = new("append", Clock + Retain + """
        local last, confirmed, first = tonumber(redis.call('HGET', KEYS[2], ARGV[1])) or 0, tonumber(ARGV[2]), tonumber(ARGV[3])
        if last < confirmed then last = confirmed end
        if first > last + 1 then return {'G', text(now), text(last), '', '0'} end
        local function present(id)
          if redis.call('ZSCORE', KEYS[4], id) then return true end
          local producer, number = string.match(id, '^(.-)#(%d+)$')
          local seen = producer and redis.call('HGET', KEYS[2], producer)
          return seen and tonumber(seen) >= tonumber(number)
        end
        local at = '*'
        if now <= tonumber(ARGV[4]) then
          -- The clock went back, or the stream lost its past: a position must not.
          local e = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
          local ms, seq = 0, 0
          if e[1] then ms, seq = string.match(e[1][1], '^(%d+)%-(%d+)$') end
          ms, seq = tonumber(ms), tonumber(seq)
          local kms, kseq = tonumber(ARGV[4]), tonumber(ARGV[5])
          if ms < kms or (ms == kms and seq < kseq) then at = ARGV[4] .. '-' .. text(kseq + 1) end
        end
        local named = redis.call('EXISTS', KEYS[4]) == 1
        local number, added, bytes, id = first - 1, 0, 0, ''
        for i = 9, #ARGV, 2 do
          number = number + 1
          if number > last then
            local own = ARGV[i + 1]
            local skip = false
            if own ~= '' then
              skip = present(own)
              if not skip then
                redis.call('ZADD', KEYS[4], now, own)
                named = true
              end
            elseif named then
              -- The late first copy of a message that was appended under its id meanwhile.
              skip = redis.call('ZSCORE', KEYS[4], ARGV[1] .. '#' .. text(number))
            end
            if not skip then
              id = redis.call('XADD', KEYS[1], at, 'd', ARGV[i])
              at = '*'
              added = added + 1
              bytes = bytes + #ARGV[i] + 32
            end
          end
        end
        if number > last then last = number end
        -- Written also for a repeat, so that WAIT has something of this connection to wait for.
        redis.call('HSET', KEYS[2], ARGV[1], text(last))
        redis.call('ZADD', KEYS[6], now, ARGV[1])
        for _, producer in ipairs(redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', text(now - ARGV[8]), 'LIMIT', 0, 4)) do
          redis.call('HDEL', KEYS[2], producer)
          redis.call('ZREM', KEYS[6], producer)
        end
        if added > 0 then
          redis.call('HINCRBY', KEYS[3], 'b', text(bytes))
          redis.call('HSET', KEYS[3], 'l', id)
          retain(tonumber(ARGV[6]), tonumber(ARGV[7]), bytes)
        end
        return {'O', text(now), text(last), id, text(added)}
        """);

    /// <summary>ARGV bytes, age (ms).</summary>
    internal static readonly RedisScript Trim = new("trim", Clock + Retain + """
        retain(tonumber(ARGV[1]), tonumber(ARGV[2]), 0)
        return {'O', text(now)}
        """);

    /// <summary>KEYS stream, state. A stream that never was has no end.</summary>
    internal static readonly RedisScript End = new("end", Clock + """
        local x = redis.pcall('XINFO', 'STREAM', KEYS[1])
        if not x.err then
          for i = 1, #x, 2 do
            if x[i] == 'last-generated-id' then return {'O', text(now), x[i + 1]} end
          end
        end
        return {'O', text(now), ''}
        """);

    // How many messages lie behind a page, at most: the bytes appended since the last mark before its end, as messages of
    // the page's size. A 64th of the retention, and what was appended since the last mark, may be counted too much.
    private const string Left = """
        local function left(ms, seq, count, bytes)
          local s = redis.call('HMGET', KEYS[2], 'b', 'rb')
          local total, at = tonumber(s[1]) or 0, tonumber(s[2]) or 0
          local low, high = 0, redis.call('LLEN', KEYS[3])
          while low < high do
            local middle = math.floor((low + high) / 2)
            local b, m, q = string.match(redis.call('LINDEX', KEYS[3], middle), '^(%d+) (%d+)%-(%d+)')
            m, q = tonumber(m), tonumber(q)
            if m < ms or (m == ms and q <= seq) then
              at = tonumber(b)
              low = middle + 1
            else
              high = middle
            end
          end
          return math.max(1, math.ceil((total - at) * count / (bytes + 32 * count)))
        end

        """;

    /// <summary>
    /// KEYS stream, state, marks. ARGV the position behind which to read, bytes, messages. Answers what was trimmed last,
    /// whether there is more and how many messages at most, ids and data. Read in small steps, for one message may be large.
    /// </summary>
    internal static readonly RedisScript Read = new("read", Clock + Left + """
        local out = {'O', text(now), redis.call('HGET', KEYS[2], 'r') or '', '0', '0'}
        local from, bytes, limit = '(' .. ARGV[1], 0, 5 + 2 * ARGV[3]
        while true do
          local e = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 32)
          for i = 1, #e do
            if #out >= limit or bytes >= tonumber(ARGV[2]) then
              local ms, seq = string.match(out[#out - 1], '^(%d+)%-(%d+)$')
              out[4] = '1'
              out[5] = text(left(tonumber(ms), tonumber(seq), (#out - 5) / 2, bytes))
              return out
            end
            local data = e[i][2][1] == 'd' and e[i][2][2] or ''
            out[#out + 1] = e[i][1]
            out[#out + 1] = data
            bytes = bytes + #data
          end
          if #e < 32 then return out end
          from = '(' .. e[#e][1]
        end
        """);

    /// <summary>KEYS stream. ARGV bytes, then positions. Answers how many it looked at, then ids and data of what is there.</summary>
    internal static readonly RedisScript ReadAt = new("read-at", Clock + """
        local out, bytes = {'O', text(now), '0'}, 0
        for i = 2, #ARGV do
          if bytes >= tonumber(ARGV[1]) then return out end
          local e = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])
          if #e > 0 then
            local data = e[1][2][1] == 'd' and e[1][2][2] or ''
            out[#out + 1] = e[1][1]
            out[#out + 1] = data
            bytes = bytes + #data
          end
          out[3] = text(i - 1)
        end
        return out
        """);
}
