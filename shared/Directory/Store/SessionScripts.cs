namespace Trunkline.Directory;

/// <content>Scripts on sessions: one bucket each, KEYS 1 meta, 2 at, 3 due, 4 wills, from 5 on sessions.</content>
internal static partial class RedisScripts
{
    // KEYS meta at. The mark fences the dead node off from the bucket; then the caller detaches what this lists.
    internal static readonly RedisScript DetachMark = new("detach_mark", """
        local t = redis.call('TIME')
        redis.call('HSET', KEYS[1], 'd:' .. ARGV[1], string.format('%.0f', t[1] * 1000000 + t[2]))
        redis.call('HDEL', KEYS[1], 'f:' .. ARGV[1])
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

    // ARGV node, highest attach number its checkpoint covers, then per session: client id, its positions in the checkpoint
    internal static readonly RedisScript DetachSessions = new("detach_sessions", RedisScriptParts.Apply + RedisScriptParts.Free + RedisScriptParts.Higher + """
        local now, covered, count = now_us(), tonumber(ARGV[2]), 0
        for k = 5, #KEYS do
          local id, positions = ARGV[2 * k - 7], ARGV[2 * k - 6]
          local s = redis.call('HMGET', KEYS[k], 'e', 'n', 'r', 'wd', 'a', 'c')
          if s[2] == ARGV[1] then
            count = count + 1
            if s[3] or s[4] then
              redis.call('HSET', KEYS[k], 'e', text(math.max((tonumber(s[1]) or 0) + 1, now)), 'h', ARGV[1])
              if positions ~= '' and (tonumber(s[5]) or 0) <= covered then redis.call('HSET', KEYS[k], 'c', higher(s[6], positions)) end
              redis.call('HDEL', KEYS[k], 'n', 'i', 'v')
              free(k, id, now)
            else
              redis.call('DEL', KEYS[k])
            end
          end
          redis.call('ZREM', KEYS[2], ARGV[1] .. ':' .. id)
        end
        return {'O', tostring(count)}
        """);

    // ARGV client id, generation, node, attach, info, floor, expecting (A any, E exactly, F free), expected epoch,
    // expected node, known version, number, change. A number at or below the one of void_claims is a claim that was given
    // up and came late; so is one below the newest write of the same holder.
    internal static readonly RedisScript Claim = new("claim", RedisScriptParts.Apply + RedisScriptParts.Owe + """
        local id, node = ARGV[1], ARGV[3]
        local m = redis.call('HMGET', KEYS[1], 'g', 'd:' .. node, 'f:' .. node)
        if m[1] ~= ARGV[2] then return {'G'} end
        if m[2] then return {'D'} end
        if m[3] and tonumber(ARGV[11]) <= (tonumber(m[3]) or 0) then return {'L'} end
        local s = redis.call('HMGET', KEYS[5], 'e', 'n', 'r', 'wd', 'm', 'v', 'we')
        local e, n, r = s[1] or '0', s[2] or '', s[3] and '1' or '0'
        if #n ~= 16 or string.find(n, '%X') then n = '' end
        if n == node and (tonumber(s[6] or '') or 0) >= tonumber(ARGV[11]) then return {'L'} end
        if ARGV[7] == 'E' and (n ~= ARGV[9] or (n ~= '' and e ~= ARGV[8])) then return {'S', '0', e, n, r} end
        if ARGV[7] == 'F' and n ~= '' then return {'S', '0', e, n, r} end
        local clears = ARGV[12] == '1'
        if s[3] and s[5] and (string.byte(s[5], 1) or 0) > tonumber(ARGV[10]) and not clears then return {'N', '0', e, n, r} end
        local now = now_us()
        local new = text(math.max((tonumber(e) or 0) + 1, now, tonumber(ARGV[6])))
        local record, owes = {}, false
        if s[1] then
          local will, waits = tonumber(s[4] or '') == 0 and now or now + 1, n == '' and s[7] and not s[4]
          if n == '' then
            will = tonumber(redis.call('ZSCORE', KEYS[3], 'w:' .. id) or '') or now + 1
            if (tonumber(redis.call('ZSCORE', KEYS[3], 'x:' .. id) or '') or now + 1) <= now then r = '0' end
            redis.call('ZREM', KEYS[3], 'w:' .. id, 'x:' .. id)
          end
          if s[4] or waits then
            if ARGV[13] ~= '1' and (will <= now or (not waits and (clears or r == '0'))) then owes = owe(5, id, now)
            else redis.call('HDEL', KEYS[5], 'w', 'wd', 'we') end
          end
          if clears or r == '0' then redis.call('DEL', KEYS[5])
          else record = redis.call('HGETALL', KEYS[5]) end
        end
        redis.call('HSET', KEYS[5], 'e', new, 'n', node, 'a', ARGV[4], 'i', ARGV[5])
        if #record > 0 then redis.call('HDEL', KEYS[5], 'h', 'v') end
        ARGV[13] = '0'
        apply(5, 12, new)
        if n ~= node then
          if n ~= '' then redis.call('ZREM', KEYS[2], n .. ':' .. id) end
          redis.call('ZADD', KEYS[2], 0, node .. ':' .. id)
        end
        return {'O', new, e, n, r, owes and '1' or '0', record}
        """) { MustNotBeLost = true };

    // ARGV per session: client id, epoch, node, number, W write or D detach, change. A number at or below the stored one
    // is a write that was given up and came late: its caller has since written all of it again.
    internal static readonly RedisScript Write = new("write", RedisScriptParts.Apply + RedisScriptParts.Free + """
        local out, at, now = {'O'}, 1, now_us()
        for k = 5, #KEYS do
          local id, epoch, node, number = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
          local detaches, change = ARGV[at + 4] == 'D', at + 5
          local s = redis.call('HMGET', KEYS[k], 'e', 'n', 'v', 'a', 'i')
          local found = 'O'
          if s[1] == epoch and s[2] == node then
            if (tonumber(s[3] or '0') or 0) < tonumber(number) then
              if ARGV[change] == '1' then
                redis.call('DEL', KEYS[k])
                redis.call('HSET', KEYS[k], 'e', epoch, 'n', node, 'a', s[4] or '0', 'i', s[5] or '')
              end
              redis.call('HSET', KEYS[k], 'v', number)
              apply(k, change, epoch)
              if detaches then
                redis.call('HDEL', KEYS[k], 'n', 'a', 'i', 'v')
                redis.call('ZREM', KEYS[2], node .. ':' .. id)
                free(k, id, now, tonumber(string.match(ARGV[change + 1], '^W(%d+)$')))
              end
            end
          elseif detaches and s[1] == epoch and not s[2] then found = 'O'
          elseif not s[1] or (tonumber(s[1]) or 0) < tonumber(epoch) then found = 'M'
          else found = 'S' end
          out[#out + 1] = found
          out[#out + 1] = s[1] or '0'
          out[#out + 1] = s[2] or ''
          at = after(change)
        end
        return out
        """) { MustNotBeLost = true };

    internal static readonly RedisScript Detach = Write with { Name = "detach" };

    // ARGV client id, epoch, node: detaches and drops the will; what nothing keeps is deleted. That is nearly every session
    // that ends so, hence first and with as few commands as it takes: one script runs at a time in a Redis.
    internal static readonly RedisScript Release = new("release", RedisScriptParts.Apply + RedisScriptParts.Free + """
        local s = redis.call('HMGET', KEYS[5], 'e', 'n', 'x')
        if not s[2] then return {'O', '0', ''} end
        if s[1] ~= ARGV[2] or s[2] ~= ARGV[3] then return {'S', s[1] or '0', s[2]} end
        redis.call('ZREM', KEYS[2], s[2] .. ':' .. ARGV[1])
        if (tonumber(s[3] or '0') or 0) == 0 then
          redis.call('DEL', KEYS[5])
          return {'O', '0', ''}
        end
        redis.call('HDEL', KEYS[5], 'n', 'a', 'i', 'v', 'w', 'wd', 'we')
        free(5, ARGV[1], now_us())
        return {'O', '0', ''}
        """);

    internal static readonly RedisScript LookUp = new("look_up", """
        local s = redis.call('HMGET', KEYS[5], 'e', 'n', 'a', 'i', 'r')
        return {'O', s[1] or '0', s[2] or '', s[3] or '0', s[4] or '', s[5] and '1' or '0'}
        """);

    // ARGV node, number: claims of the node up to that number are void in this bucket. Then as look_up.
    internal static readonly RedisScript VoidClaims = new("void_claims", """
        local void = tonumber(redis.call('HGET', KEYS[1], 'f:' .. ARGV[1]) or '0') or 0
        if void < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], 'f:' .. ARGV[1], ARGV[2]) end

        """ + LookUp.Text);

    internal static readonly RedisScript ReadSession = new("read_session", """
        return {'O', redis.call('HGETALL', KEYS[5])}
        """);

    // ARGV generation, node, restore (0 or 1), then per session: client id, epoch, attach, info, number, change
    internal static readonly RedisScript Compare = new("compare", RedisScriptParts.Apply + """
        local m = redis.call('HMGET', KEYS[1], 'g', 'd:' .. ARGV[2])
        if m[1] ~= ARGV[1] then return {'G'} end
        if m[2] then return {'D'} end
        local out, at = {'O'}, 4
        for k = 5, #KEYS do
          local id, epoch = ARGV[at], ARGV[at + 1]
          local s = redis.call('HMGET', KEYS[k], 'e', 'n', 'v')
          local e, n = s[1] or '0', s[2] or ''
          local mine, theirs = tonumber(epoch) or 0, tonumber(e) or 0
          local found = 'M'
          if e == epoch and n == ARGV[2] then found = 'H'
          elseif theirs > mine or (theirs == mine and n ~= '') then found = 'S'
          elseif ARGV[3] == '1' then found = 'R' end
          local late = found == 'H' and (tonumber(s[3] or '0') or 0) >= tonumber(ARGV[at + 4])
          if ARGV[3] == '1' and not late and (found == 'R' or found == 'H') then
            redis.call('DEL', KEYS[k])
            redis.call('HSET', KEYS[k], 'e', epoch, 'n', ARGV[2], 'a', ARGV[at + 2], 'i', ARGV[at + 3], 'v', ARGV[at + 4])
            apply(k, at + 5, epoch)
            redis.call('ZREM', KEYS[3], 'w:' .. id, 'x:' .. id)
            if n ~= '' then redis.call('ZREM', KEYS[2], n .. ':' .. id) end
            redis.call('ZADD', KEYS[2], 0, ARGV[2] .. ':' .. id)
          end
          out[#out + 1] = found
          out[#out + 1] = e
          out[#out + 1] = n
          at = after(at + 5)
        end
        return out
        """) { MustNotBeLost = true };

    // KEYS meta at due wills. ARGV most. What is due: members, and for wills that stand apart their bytes.
    internal static readonly RedisScript ListDue = new("list_due", """
        local t = redis.call('TIME')
        local members = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', t[1] * 1000000 + t[2]), 'LIMIT', 0, tonumber(ARGV[1]))
        local out = {'O'}
        for _, member in ipairs(members) do
          out[#out + 1] = member
          out[#out + 1] = string.sub(member, 1, 2) == 'o:' and redis.call('HGET', KEYS[4], string.sub(member, 3)) or ''
        end
        return out
        """);

    // ARGV the member of each session. Per session: still due (0 or 1), epoch, will's epoch, will. An entry that has no meaning goes.
    internal static readonly RedisScript ReadDue = new("read_due", RedisScriptParts.Apply + """
        local out, now = {'O'}, now_us()
        for k = 5, #KEYS do
          local member = ARGV[k - 4]
          local s = redis.call('HMGET', KEYS[k], 'e', 'n', 'we', 'w')
          local due = (tonumber(redis.call('ZSCORE', KEYS[3], member) or '') or now + 1) <= now
          if not s[1] or s[2] or (string.sub(member, 1, 2) == 'w:' and not s[4]) then
            redis.call('ZREM', KEYS[3], member)
            due = false
          end
          out[#out + 1] = due and '1' or '0'
          out[#out + 1] = s[1] or '0'
          out[#out + 1] = s[3] or '0'
          out[#out + 1] = s[4] or ''
        end
        return out
        """);

    // ARGV client id, epoch of the will. It may stand in the session or apart.
    internal static readonly RedisScript FinishWill = new("finish_will", """
        local id = ARGV[1]
        redis.call('HDEL', KEYS[4], ARGV[2] .. ':' .. id)
        redis.call('ZREM', KEYS[3], 'o:' .. ARGV[2] .. ':' .. id)
        local s = redis.call('HMGET', KEYS[5], 'n', 'r', 'we')
        if s[1] or s[3] ~= ARGV[2] then return {'O'} end
        redis.call('ZREM', KEYS[3], 'w:' .. id)
        redis.call('HDEL', KEYS[5], 'w', 'wd', 'we')
        if not s[2] then redis.call('DEL', KEYS[5]) end
        return {'O'}
        """);

    // ARGV client id, epoch of the record. A due entry without a record goes too; of a session whose will waits the will stays.
    internal static readonly RedisScript FinishExpiry = new("finish_expiry", RedisScriptParts.Apply + RedisScriptParts.Owe + """
        local id = ARGV[1]
        local s = redis.call('HMGET', KEYS[5], 'e', 'n', 'wd', 'w', 'we')
        if s[2] or (s[1] and s[1] ~= ARGV[2]) then return {'S'} end
        local now = now_us()
        if (tonumber(redis.call('ZSCORE', KEYS[3], 'x:' .. id) or '') or now + 1) > now then return {'S'} end
        local waits = not s[3] and s[4] and s[5] and tonumber(redis.call('ZSCORE', KEYS[3], 'w:' .. id) or '')
        if waits and waits > now then
          redis.call('DEL', KEYS[5])
          redis.call('HSET', KEYS[5], 'e', s[1], 'w', s[4], 'we', s[5])
          redis.call('ZREM', KEYS[3], 'x:' .. id)
          return {'O'}
        end
        if s[3] or waits then owe(5, id, now) end
        redis.call('DEL', KEYS[5])
        redis.call('ZREM', KEYS[3], 'w:' .. id, 'x:' .. id)
        return {'O'}
        """);
}
