-- SPDX-License-Identifier: Apache-2.0
-- The oversell window of a movement: from the till until the web shop was seen to show it.
--   till       the sale was rung up (Sitoo's clock, whole seconds)
--   event      Sitoo's event, or the ledger's row, came to us
--   taken      the writer took the SKU in hand
--   sent       the write left
--   accepted   BigCommerce said 200
--   confirmed  the level was read back
-- In a job of the queue sku: event and waits (BigCommerce's waits counted then); claimed: cevent, cwaits, taken.
--   window:open            hash  "location|sku" -> "till event taken sent accepted waited warehouses cause"
--   window:sent            when the last write of levels left
--   windows:<day>          zset  the worst 1,000 of a day (of UTC), JSON by duration; windows:offline:<day> those of tills that
--                          were offline
--   windows:sum:<day>      hash  n, ms, worst, offline
--   lag:buckets            hash  "accepted:250" -> lags of at most 250 ms that are longer than the bound before; "accepted:inf",
--                          "accepted:sum" in ms. They only rise.

local OFFLINE_MS = 600000 -- a till that was offline: its sales would tell nothing about our lag
local WINDOWS_WORST = 1000
local WINDOWS_KEEP_S = 14 * 86400
local WINDOWS_SUM_KEEP_S = 90 * 86400
local LAG_BOUNDS = { 250, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000, 600000 }

-- The writer claims a SKU; the first claim counts.
local function event_taken(now, job)
  local f = redis.call('HMGET', job, 'event', 'waits', 'cevent')
  if f[1] and not f[3] then
    redis.call('HSET', job, 'cevent', f[1], 'cwaits', f[2] or '0', 'taken', int(now))
  end
  if f[1] then
    redis.call('HDEL', job, 'event', 'waits')
  end
end

-- When the first of n orders (or of what was handed on from one) came to us; nil for other queues.
local function came_first(P, queue, args, n)
  if queue ~= 'order' then
    return nil
  end
  local first
  for i = 1, n do
    local since = tonumber(redis.call('HGET', job_key(P, queue, args[1 + 2 * i]), 'since') or '')
    if since and (not first or since < first) then
      first = since
    end
  end
  return first
end

local function lag_bucket(P, name, ms)
  local bound = 'inf'
  for i = #LAG_BOUNDS, 1, -1 do
    if ms <= LAG_BOUNDS[i] then
      bound = int(LAG_BOUNDS[i])
    end
  end
  redis.call('HINCRBY', P .. 'lag:buckets', name .. ':' .. bound, 1)
  redis.call('HINCRBY', P .. 'lag:buckets', name .. ':sum', int(ms))
end

-- event: when the movement came to us, 0 = not known; then only the lag itself tells that the till was offline.
local function lag_push(P, name, ms, event, till)
  local key = P .. 'lag:' .. name
  if event > 0 and event - till > OFFLINE_MS or event == 0 and ms > OFFLINE_MS then
    count(P, 'late_tills:' .. name, 1)
    return
  end
  ms = math.max(0, ms)
  redis.call('LPUSH', key, int(ms))
  redis.call('LTRIM', key, 0, LAG_KEEP - 1)
  redis.call('EXPIRE', key, 7 * 86400)
  lag_bucket(P, name, ms)
end

local function window_job(P, field)
  return job_key(P, 'sku', string.match(field, '|(.*)$') or '')
end

local function window_event(P, field)
  return tonumber(redis.call('HGET', window_job(P, field), 'cevent') or '') or 0
end

-- The warehouses among the words of a hint.
local function hint_warehouses(hint)
  local seen, out = {}, {}
  for w in (hint or ''):gmatch('%f[%w][wv](%d+)') do
    if not seen[w] then
      seen[w] = true
      out[#out + 1] = w
    end
  end
  return #out > 0 and table.concat(out, ',') or '-'
end

-- Of two times the earlier, as text.
local function first_of(a, b)
  return int(earlier(a, b))
end

-- A level was written. again: one is unconfirmed there already, so the window goes on.
local function window_put(P, now, field, till, state, again)
  local key, old = P .. 'window:open', nil
  if till <= 0 then
    redis.call('HDEL', key, field)
    return
  end
  if again then
    old = { string.match(redis.call('HGET', key, field) or '', '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%S+) (%S+)$') }
  end
  local f = redis.call('HMGET', window_job(P, field), 'cevent', 'taken', 'cwaits', 'cause', 'chint')
  local waited = f[3] and math.max(0, tonumber(stock_waits(P)) - tonumber(f[3])) or 0
  local sent = redis.call('GET', P .. 'window:sent') or '0'
  local cause = f[4] and f[4]:match('^[%w_]+$') or '-'
  local where = hint_warehouses(f[5])
  if old and old[1] then
    waited = waited + tonumber(old[6])
    where = where ~= '-' and where or old[7]
    cause = cause ~= '-' and cause or old[8]
  end
  redis.call('HSET', key, field, int(till) .. ' ' .. first_of(f[1], old and old[2]) .. ' ' .. first_of(f[2], old and old[3]) .. ' '
    .. sent .. ' ' .. (state == 'w' and int(now) or '0') .. ' ' .. int(waited) .. ' ' .. where .. ' ' .. cause)
end

local function window_keep(P, now, record, ms, offline)
  local day = int(math.floor(now / DAY_MS))
  local key = P .. (offline and 'windows:offline:' or 'windows:') .. day
  redis.call('ZADD', key, int(ms), cjson.encode(record))
  redis.call('ZREMRANGEBYRANK', key, 0, -WINDOWS_WORST - 1)
  redis.call('EXPIRE', key, WINDOWS_KEEP_S)
  local sum = P .. 'windows:sum:' .. day
  if offline then
    redis.call('HINCRBY', sum, 'offline', 1)
  else
    redis.call('HINCRBY', sum, 'n', 1)
    redis.call('HINCRBY', sum, 'ms', int(ms))
    if ms > (tonumber(redis.call('HGET', sum, 'worst') or '') or -1) then
      redis.call('HSET', sum, 'worst', int(ms))
    end
  end
  redis.call('EXPIRE', sum, WINDOWS_SUM_KEEP_S)
  count(P, offline and 'windows:offline' or 'windows', 1)
end

-- The level was seen. till: of the level, 0 = no movement was behind it.
local function window_close(P, now, field, till)
  local value = redis.call('HGET', P .. 'window:open', field)
  local w = { string.match(value or '', '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%S+) (%S+)$') }
  if value then
    redis.call('HDEL', P .. 'window:open', field)
  end
  if till <= 0 then
    return
  end
  local event = tonumber(w[2] or '') or 0
  lag_push(P, 'confirmed', now - till, event, till)
  local location, sku = string.match(field, '^(%d+)|(.*)$')
  if location then
    local offline = event > 0 and event - till > OFFLINE_MS or event == 0 and now - till > OFFLINE_MS
    window_keep(P, now, { sku = sku, location = location, till = int(till), event = int(event), taken = w[3] or '0', sent = w[4] or '0',
      accepted = w[5] or '0', confirmed = int(now), waited = w[6] or '0', warehouses = w[7] or '-', cause = w[8] or '-' },
      math.max(0, now - till), offline)
  end
end
