-- SPDX-License-Identifier: Apache-2.0
-- Levels as last written, per location and SKU, and what still has to be read back.
-- level:<mode> holds "location|sku" -> "level state written_ms till_ms not_before_ms base"; state: w written, u unsure (an answer
-- was lost), s written back towards an earlier level while a write was not confirmed yet, c confirmed, k known from a
-- read only. base: the level before the first write that is not confirmed; left out if it
-- is the same.
-- A level in s may be "seen" before either write has landed (down by one, up again: the old number is the new one). It
-- is not believed for SETTLE_MS, and looked at once more when everything must have landed (the sorted set recheck).

local SETTLE_MS = 5000

local function level_fields(value)
  local level, state, written, till, from, base = string.match(value or '', '^(%-?%d+) (%a) (%d+) (%d+) (%d+) ?(%-?%d*)$')
  if not level then return nil end
  return { level = level, state = state, written = tonumber(written), till = tonumber(till), from = tonumber(from),
    base = base ~= '' and base or level }
end

local function open_state(state)
  return state == 'w' or state == 'u' or state == 's'
end

-- True if a write turns back towards the base while an earlier one may still land.
local function turns_back(old, level)
  local before = tonumber(old.level) - tonumber(old.base)
  return old.state == 's' or (tonumber(level) - tonumber(old.level)) * before < 0
end

-- levels_put(mode, state, check_after_ms, not_before_ms, n, n x (location|sku, level, till), effects...)
-- state k: known, nothing to confirm. w, u: to be read back after check_after_ms. The effects are the ledger rows.
register('levels_put', function(P, args)
  local now, mode, state = now_ms(), args[1], args[2]
  local check, from, n = tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
  local wrong = wrong_effects(args, 6 + 3 * n, #args)
  if wrong then
    return refuse(wrong)
  end
  local hash = P .. 'level:' .. mode
  for i = 1, n do
    local field, level, till = args[3 + 3 * i], args[4 + 3 * i], tonumber(args[5 + 3 * i])
    local old = level_fields(redis.call('HGET', hash, field))
    local before, accepted, kept, base = 0, till, state, old and old.level or level
    if old and open_state(old.state) then
      before, base = old.from, old.base
      if state == 'w' and turns_back(old, level) then
        kept, before = 's', math.max(before, now + SETTLE_MS)
      end
      till = earlier(old.till, till) -- neither is confirmed yet
      if old.state == 'u' then
        accepted = till -- nor was the first one accepted, for all we know
      end
    end
    if state == 'w' and accepted > 0 and mode == 'live' then
      lag_push(P, 'accepted', now - accepted, window_event(P, field), accepted)
    end
    if state ~= 'k' and mode == 'live' then
      window_put(P, now, field, till, state, old ~= nil and open_state(old.state))
    end
    redis.call('HSET', hash, field, level .. ' ' .. kept .. ' ' .. int(now) .. ' ' .. int(till) .. ' '
      .. int(math.max(before, from > 0 and now + from or 0)) .. (base ~= level and ' ' .. base or ''))
    if state ~= 'k' and mode == 'live' then
      redis.call('ZADD', P .. 'unconfirmed', int(now + check), field)
    elseif mode == 'shadow' and state == 'k' then
      shadow_shown(P, now, field, level)
    elseif mode == 'shadow' then
      shadow_wanted(P, now, field, check)
    end
  end
  apply_effects(P, now, args, 6 + 3 * n, #args)
  return n
end)

-- levels_check(n, n x location|sku, check_after_ms, again_after_ms): BigCommerce moved stock by itself; read these back
-- soon, and once more when reads that lag must show it too (left out: not once more). What was never written has nothing
-- to compare with: its SKU is due.
register('levels_check', function(P, args)
  local now, n = now_ms(), tonumber(args[1])
  local again = tonumber(args[3 + n] or '')
  for i = 1, n do
    if redis.call('HEXISTS', P .. 'level:live', args[1 + i]) == 1 then
      redis.call('ZADD', P .. 'unconfirmed', 'NX', int(now + tonumber(args[2 + n])), args[1 + i])
      if again then
        redis.call('ZADD', P .. 'recheck', int(now + again), args[1 + i])
      end
    else
      mark(P, now, 'sku', string.match(args[1 + i], '|(.*)$') or '', '', '', '')
    end
  end
  wake(P, 'sku')
  return n
end)

-- levels_due(limit) -> { wait_ms or -1, then per field: location|sku, stored value or '' }
register('levels_due', function(P, args)
  local now, key = now_ms(), P .. 'unconfirmed'
  for _, field in ipairs(redis.call('ZRANGEBYSCORE', P .. 'recheck', '-inf', int(now), 'LIMIT', 0, args[1])) do
    redis.call('ZREM', P .. 'recheck', field)
    redis.call('ZADD', key, 'NX', int(now), field)
  end
  return places_due(now, key, P .. 'level:live', args[1])
end)

-- A level that was refused there once was written later and is confirmed: the case ends with its last location.
local function no_longer_refused(P, field, written)
  local location, sku = string.match(field, '^(%d+)|(.*)$')
  local id = 'level_refused:' .. (sku or '')
  local key = P .. 'case:' .. id
  local last = tonumber(redis.call('HGET', key, 'last') or '')
  if not last or written <= last or redis.call('HDEL', key, 'at:' .. location) == 0 then
    return
  end
  for _, name in ipairs(redis.call('HKEYS', key)) do
    if string.sub(name, 1, 3) == 'at:' then
      return
    end
  end
  close_case(P, id)
end

-- levels_seen(retry_ms, give_up_ms, n, n x (location|sku, value as it was, level seen or '')) -> per field
-- 1 confirmed, 2 not yet: look again, 3 differs for good: must be written again, 0 changed meanwhile.
-- One ledger row each for those confirmed, [SKU, location, level], and those that differ, [SKU, location, level, seen].
register('levels_seen', function(P, args)
  local now, retry, give_up, n = now_ms(), tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
  local hash, out, rows = P .. 'level:live', {}, { confirmed = {}, differs = {} }
  local function told(kind, field, level, more)
    local location, sku = string.match(field, '^(%d+)|(.*)$')
    if location then
      table.insert(rows[kind], { sku, tonumber(location), tonumber(level), more })
    end
  end
  for i = 1, n do
    local field, was, seen = args[1 + 3 * i], args[2 + 3 * i], args[3 + 3 * i]
    local value = redis.call('HGET', hash, field) or ''
    local f = level_fields(value)
    if value ~= was or not f then
      out[i] = 0
      if not f then
        redis.call('ZREM', P .. 'unconfirmed', field)
      end
    elseif now < f.from then
      out[i] = 2
      redis.call('ZADD', P .. 'unconfirmed', int(f.from), field)
    elseif seen == f.level then
      out[i] = 1
      redis.call('ZREM', P .. 'unconfirmed', field)
      if f.state == 's' then
        redis.call('ZADD', P .. 'recheck', int(f.written + give_up), field)
      end
      if f.state ~= 'c' and f.state ~= 'k' then
        no_longer_refused(P, field, f.written)
        redis.call('HSET', hash, field, f.level .. ' c ' .. int(f.written) .. ' 0 0')
        window_close(P, now, field, f.till)
        told('confirmed', field, f.level)
      end
    elseif now - f.written > give_up or f.state == 'c' or f.state == 'k' then
      out[i] = 3
      redis.call('ZADD', P .. 'unconfirmed', int(now + retry), field)
      told('differs', field, f.level, tonumber(seen))
    else
      out[i] = 2
      redis.call('ZADD', P .. 'unconfirmed', int(now + retry), field)
    end
  end
  for _, kind in ipairs({ 'confirmed', 'differs' }) do
    if #rows[kind] > 0 then
      ledger_add(P, now, cjson.encode({ type = kind, levels = rows[kind] }))
    end
  end
  return out
end)
