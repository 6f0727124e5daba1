-- SPDX-License-Identifier: Apache-2.0
-- Shadow mode watches: what BigCommerce shows of the levels that would have been written, and when somebody else brought it there.
--
-- shadow:shown: "location|sku" -> "level first_ms last_ms": what was read last; it was so from first to last, as far as was looked.
-- shadow:seen: stream of its changes: place, level, was, until (when `was` was last seen; both '' if it is the first look).
-- shadow:due: places to be looked at, by when: soon after a level would have been written, then at growing intervals until
--   BigCommerce shows it; four times a day from then on.
-- shadow:orders: web order -> JSON { created, rows = { { "target|sku", thousandths }... } }; shadow:orders:at has them by time.

local SHADOW_KEEP_MS = 90 * DAY_MS
local SHADOW_SEEN_MAX = 500000
local SHADOW_WATCH_MAX = 20000 -- places that agree and are looked at all the same
local SHADOW_AGREED_MS = 6 * 3600000
local SHADOW_OFTEN_MS = 600000 -- the longest interval while a change is young
local SHADOW_YOUNG_MS = 2 * DAY_MS
local SHADOW_SELDOM_MS = 3600000

-- What a read of BigCommerce showed.
local function shadow_shown(P, now, place, level)
  local key = P .. 'shadow:shown'
  local was, first, last = string.match(redis.call('HGET', key, place) or '', '^(%-?%d+) (%d+) (%d+)$')
  if was ~= level then
    first = int(now)
    redis.call('XADD', P .. 'shadow:seen', 'MAXLEN', '~', SHADOW_SEEN_MAX, '*', 'place', place, 'level', level, 'was', was or '',
      'until', last or '')
    redis.call('XTRIM', P .. 'shadow:seen', 'MINID', '~', int(now - SHADOW_KEEP_MS))
  end
  redis.call('HSET', key, place, level .. ' ' .. first .. ' ' .. int(now))
end

-- A level that would have been written: was it brought there by somebody else? Asked for the first time after `check` ms.
local function shadow_wanted(P, now, place, check)
  redis.call('ZADD', P .. 'shadow:due', int(now + check), place)
end

-- shadow_look(n, n x location|sku, delay_ms): BigCommerce said that these changed. Those that shadow mode computed are looked at.
register('shadow_look', function(P, args)
  local now, n = now_ms(), tonumber(args[1])
  local looked = 0
  for i = 1, n do
    if redis.call('HEXISTS', P .. 'level:shadow', args[1 + i]) == 1 then
      redis.call('ZADD', P .. 'shadow:due', 'LT', int(now + tonumber(args[2 + n])), args[1 + i])
      looked = looked + 1
    end
  end
  return looked
end)

-- shadow_due(limit) -> as levels_due: { wait_ms or -1, then per place: location|sku, stored value or '' }
register('shadow_due', function(P, args)
  return places_due(now_ms(), P .. 'shadow:due', P .. 'level:shadow', args[1])
end)

-- shadow_read(soonest_ms, n, n x (location|sku, level)) -> how many show the level that would have been written.
register('shadow_read', function(P, args)
  local now, soonest, n = now_ms(), tonumber(args[1]), tonumber(args[2])
  local key, agreed = P .. 'shadow:due', 0
  for i = 1, n do
    local place, level = args[1 + 2 * i], args[2 + 2 * i]
    shadow_shown(P, now, place, level)
    local wanted, written = string.match(redis.call('HGET', P .. 'level:shadow', place) or '', '^(%-?%d+) %a (%d+)')
    if not wanted then
      redis.call('ZREM', key, place)
    elseif wanted == level then
      agreed = agreed + 1
      if redis.call('ZCARD', key) <= SHADOW_WATCH_MAX then
        redis.call('ZADD', key, int(now + SHADOW_AGREED_MS), place)
      else
        redis.call('ZREM', key, place)
      end
    else
      local age = now - tonumber(written)
      local most = age < SHADOW_YOUNG_MS and SHADOW_OFTEN_MS or SHADOW_SELDOM_MS
      redis.call('ZADD', key, int(now + math.min(most, math.max(soonest, age / 4))), place)
    end
  end
  redis.call('PEXPIRE', P .. 'shadow:shown', SHADOW_KEEP_MS)
  redis.call('PEXPIRE', key, SHADOW_KEEP_MS)
  return agreed
end)

-- shadow_order(order, created_ms, n, n x (target|sku, thousandths)): a web order that takes stock, with what it takes. Kept as it
-- was when it took most: units that were sold and could not be sent are often taken off it again.
register('shadow_order', function(P, args)
  local now, order, created, n = now_ms(), args[1], args[2], tonumber(args[3])
  local key, rows, units, before = P .. 'shadow:orders', {}, 0, 0
  for i = 1, n do
    rows[i] = { args[2 + 2 * i], args[3 + 2 * i] }
    units = units + tonumber(args[3 + 2 * i])
  end
  local old = redis.call('HGET', key, order)
  for _, row in ipairs(old and cjson.decode(old).rows or {}) do
    before = before + tonumber(row[2])
  end
  if units > before then
    redis.call('HSET', key, order, cjson.encode({ created = created, rows = rows }))
    redis.call('ZADD', P .. 'shadow:orders:at', created, order)
  end
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', P .. 'shadow:orders:at', '-inf', int(now - SHADOW_KEEP_MS), 'LIMIT', 0, 100)) do
    redis.call('ZREM', P .. 'shadow:orders:at', gone)
    redis.call('HDEL', key, gone)
  end
  return units > before and 1 or 0
end)
