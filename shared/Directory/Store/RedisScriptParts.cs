namespace Trunkline.Directory;

/// <summary>
/// Lua functions that scripts on sessions share. Keys are named by their number: 1 meta, 2 at, 3 due, 4 wills, from 5 on
/// sessions. A change travels as: clears (0 or 1), drops the will (0 or 1, or W and the seconds it waits), expiry or '', will
/// delay or '', number of sets, number of deletes, names and values of the sets, names of the deletes.
/// </summary>
internal static class RedisScriptParts
{
    // unpack takes no more than some thousands at once.
    internal const string Apply = """
        local function now_us()
          local t = redis.call('TIME')
          return t[1] * 1000000 + t[2]
        end
        local function text(number) return string.format('%.0f', number) end
        local function after(at) return at + 6 + 2 * tonumber(ARGV[at + 4]) + tonumber(ARGV[at + 5]) end
        local function apply(k, at, epoch)
          local sets, deletes = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
          if ARGV[at + 1] == '1' then redis.call('HDEL', KEYS[k], 'w', 'wd', 'we') end
          if ARGV[at + 2] == '0' then redis.call('HDEL', KEYS[k], 'x', 'r')
          elseif ARGV[at + 2] ~= '' then redis.call('HSET', KEYS[k], 'x', ARGV[at + 2], 'r', '1') end
          if ARGV[at + 3] ~= '' then redis.call('HSET', KEYS[k], 'wd', ARGV[at + 3], 'we', epoch) end
          local first, last = at + 6, at + 5 + 2 * sets
          while first <= last do
            redis.call('HSET', KEYS[k], unpack(ARGV, first, math.min(first + 999, last)))
            first = first + 1000
          end
          first, last = last + 1, last + deletes
          while first <= last do
            redis.call('HDEL', KEYS[k], unpack(ARGV, first, math.min(first + 999, last)))
            first = first + 1000
          end
        end

        """;

    // What two checkpoints say of one session: the higher positions, group by group. As PositionWire writes them; compared
    // byte by byte, because Lua compares strings by the server's locale.
    internal const string Higher = """
        local function higher(old, new)
          if not old or string.byte(old, 1) ~= 1 or string.byte(new, 1) ~= 1 then return new end
          local longer, out = #old > #new and old or new, {}
          for at = 4, #longer, 16 do
            local a, b = string.sub(old, at, at + 15), string.sub(new, at, at + 15)
            local best = #a > #b and a or b
            for i = 1, math.min(#a, #b) do
              local x, y = string.byte(a, i), string.byte(b, i)
              if x ~= y then
                best = x > y and a or b
                break
              end
            end
            out[#out + 1] = best
          end
          return string.sub(longer, 1, 3) .. table.concat(out)
        end

        """;

    // The holder is gone: when will and end are due; what nothing keeps is deleted. A will is due no later than the end. One
    // that waits, because its device was sent away, is due then whatever becomes of the session; it is known by its epoch
    // without its delay, which a proxy that does not know of it takes for no will.
    internal const string Free = """
        local function free(k, id, now, wait)
          local s = redis.call('HMGET', KEYS[k], 'x', 'wd')
          local x, wd = tonumber(s[1] or '0') or 0, s[2] and (tonumber(s[2]) or 0)
          if wd then
            local due = math.min(x, wd)
            if wait then
              due = math.max(due, wait)
              redis.call('HDEL', KEYS[k], 'wd')
            end
            redis.call('ZADD', KEYS[3], text(now + due * 1000000), 'w:' .. id)
          end
          if x == 0 then
            if not wd then redis.call('DEL', KEYS[k]) end
          elseif x < 4294967295 then redis.call('ZADD', KEYS[3], text(now + x * 1000000), 'x:' .. id) end
        end

        """;

    // The will is to be published now whatever becomes of the session: it moves out of it.
    internal const string Owe = """
        local function owe(k, id, now)
          local s = redis.call('HMGET', KEYS[k], 'w', 'we')
          redis.call('HDEL', KEYS[k], 'w', 'wd', 'we')
          if not s[1] or not s[2] then return false end
          redis.call('HSET', KEYS[4], s[2] .. ':' .. id, s[1])
          redis.call('ZADD', KEYS[3], text(now), 'o:' .. s[2] .. ':' .. id)
          return true
        end

        """;
}
