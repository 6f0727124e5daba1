-- SPDX-License-Identifier: Apache-2.0
-- The Redis Function library of onepool. The files of this folder are joined in name order and embedded in
-- every binary with their exact bytes; VERSION (a digest of those bytes) is defined in front of them.
-- Each function is registered as <name>_<VERSION>, so that two releases can run side by side.
--
-- KEYS[1] is the hash tag "{tenant}"; every key is made from it here (the list is in shared/keys.h).
-- Time is Redis TIME only: no machine's clock can shorten a lease.

local DAY_MS = 86400000
local IDEM_KEEP_S = 8 * 86400 -- BigCommerce retries for 48.1 h, Sitoo for 24 h; well beyond both
local OP_KEEP_S = 90 * 86400
-- Units that come back are counted up and down, so none of their operations may ever happen twice. Sitoo tells of an old
-- return whenever somebody touches its order: one older than RETURN_JUDGED_MS is left alone, and the marks of younger ones
-- outlive that age. Longer than a rebuild reads back (365 days, rebuild_goods.h).
local RETURN_JUDGED_MS = 380 * 86400000
local RETURN_KEEP_MS = 400 * 86400000
local HOOK_KEEP_S = 50 * 3600 -- longer than a late call is taken for (SIGNATURE_LATE_S of shared/signature.h)
local JOURNAL_KEEP_MS = 14 * DAY_MS
local LEDGER_KEEP_MS = 90 * DAY_MS
local CHAIN_BEGIN = '0000000000000000000000000000000000000000' -- the hash before the first entry
local LAG_KEEP = 10000
local BACKLOG_MAX = 1000000

local function now_ms()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

-- Whole numbers as text without exponent: tostring(1e14) would be 1e+14.
local function int(n)
  return string.format('%.0f', n)
end

-- Fencing tokens rise for ever, also after an empty Redis: they start at the time in microseconds (below 2^53 until 2255), and no
-- burst takes a million a second.
local function next_token(P)
  local key = P .. 'token'
  local token = redis.call('INCR', key)
  if token == 1 then
    token = now_ms() * 1000
    redis.call('SET', key, int(token))
  end
  return token
end

local function register(name, fn)
  redis.register_function(name .. '_' .. VERSION, function(keys, args)
    return fn(keys[1] .. ':', args)
  end)
end

local function count(P, name, n)
  redis.call('HINCRBY', P .. 'count', name, n)
end

-- The one way into the ledger. Beside the row, each entry has its link of the chain, c = "n gap prev": its number, how many ms the
-- entry before it is older, and that one's hash. An entry's hash is the SHA-1 of "id n gap prev row", so it covers the stream's
-- id, which is the time. ledger:chain holds what the next link needs, and how long entries are kept; see docs/adr/0018.
-- A row is JSON; docs/ledger.md says what the types are.
local function ledger_add(P, now, row)
  local key, stream = P .. 'ledger:chain', P .. 'ledger'
  local f = redis.call('HMGET', key, 'n', 'at', 'head', 'days')
  local n, before = int((tonumber(f[1] or '') or 0) + 1), tonumber(f[2] or '')
  local from = int(now - (f[4] and tonumber(f[4]) * DAY_MS or LEDGER_KEEP_MS))
  -- The gap is in the entry, so its time is chosen here. It never falls.
  local ms = math.max(now, before or 0)
  local rest = ' ' .. (f[3] or CHAIN_BEGIN)
  local c = n .. ' ' .. int(ms - (before or ms)) .. rest
  local id = redis.pcall('XADD', stream, 'MINID', '~', from, int(ms) .. '-*', 'row', row, 'c', c)
  if type(id) == 'table' then -- the stream is ahead of Redis' clock
    c = n .. ' 0' .. rest
    id = redis.call('XADD', stream, 'MINID', '~', from, '*', 'row', row, 'c', c)
  end
  redis.call('HSET', key, 'n', n, 'at', string.match(id, '^%d+'), 'head', redis.sha1hex(id .. ' ' .. c .. ' ' .. row))
end

local function job_key(P, queue, entity)
  return P .. 'job:' .. queue .. ':' .. entity
end

-- Union of two lists of words separated by spaces.
local function join_words(a, b)
  if a == nil or a == false or a == '' then return b or '' end
  if b == nil or b == false or b == '' then return a end
  local seen, out = {}, {}
  for word in (a .. ' ' .. b):gmatch('%S+') do
    if not seen[word] then
      seen[word] = true
      out[#out + 1] = word
    end
  end
  return table.concat(out, ' ')
end

-- The smaller of two times, where '' or nil or 0 means none.
local function earlier(a, b)
  local x, y = tonumber(a or '') or 0, tonumber(b or '') or 0
  if x == 0 then return y end
  if y == 0 then return x end
  return math.min(x, y)
end

local function wake(P, queue)
  redis.call('PUBLISH', P .. 'wake:' .. queue, '1')
end

-- ms until the first member of a sorted set of times is due; -1 = there is none.
local function first_in_ms(key, now)
  local head = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return head[2] and math.max(0, tonumber(head[2]) - now) or -1
end

-- Places (location|sku) that are due in a sorted set, at most `limit`: { ms until the first one that is left, or -1; then per place: itself and
-- what `hash` holds of it, or '' }
local function places_due(now, key, hash, limit)
  local out = { -1 }
  for _, place in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', int(now), 'LIMIT', 0, limit)) do
    out[#out + 1] = place
    out[#out + 1] = redis.call('HGET', hash, place) or ''
  end
  out[1] = first_in_ms(key, now)
  return out
end
