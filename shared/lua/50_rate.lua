-- SPDX-License-Identifier: Apache-2.0
-- Budgets that all processes share. What the platform says always wins.

-- A pause never gets shorter by what another answer says.
local function pause_until(key, until_ms)
  local old = tonumber(redis.call('HGET', key, 'until') or '') or 0
  redis.call('HSET', key, 'until', int(math.max(old, until_ms)))
end

-- Exponential pause with full jitter: base * 2^(n-1) up to cap, times (0.5 .. 1.0).
local function backoff(n, base, cap, jitter_percent)
  local top = math.min(cap, base * 2 ^ math.min(n - 1, 16))
  return top * (0.5 + jitter_percent / 200)
end

-- Until the first headers are seen one call at a time is let through, so that a restart does not burst.
local function take_single(P, key, now, class, weights, inflight, took)
  local t = turn(P, 'bigcommerce', class, now, weights)
  if t.ahead > 0 or (inflight > 0 and now - took < 15000) then
    turn_waits(P, t, now)
    return 50
  end
  turn_taken(t)
  redis.call('HSET', key, 'inflight', 1, 'took', int(now))
  count_call(P, 'bigcommerce', class, 1)
  return 0
end

-- rate_take(cost, reserve_percent, class, weights) -> 0 = go, else milliseconds to wait.
-- BigCommerce: mirrors the window that its headers describe; the classes share it as 45_budget.lua says.
register('rate_take', function(P, args)
  local now, key = now_ms(), P .. 'rate:bigcommerce'
  local cost, reserve = tonumber(args[1]), tonumber(args[2])
  local class, weights = class_and_weights(args[3], args[4])
  local f = redis.call('HMGET', key, 'until', 'quota', 'left', 'reset', 'window', 'inflight', 'took', 'shares', 'fresh')
  local pause = (tonumber(f[1] or '') or 0) - now
  if pause > 0 then
    return math.ceil(pause)
  end
  local quota, left, reset = tonumber(f[2] or ''), tonumber(f[3] or ''), tonumber(f[4] or '') or 0
  local window, inflight = tonumber(f[5] or '') or 30000, tonumber(f[6] or '') or 0
  if not quota then
    return take_single(P, key, now, class, weights, inflight, tonumber(f[7] or '') or 0)
  end
  local fresh = f[9] == '1'
  if now >= reset then
    left, reset, inflight, fresh = quota, now + window, 0, true
  end
  local kept = math.ceil(quota * reserve / 100)
  local b = shares_read(f[8], fresh, quota - kept, weights)
  local others = owned_by_others(b, class, now, left - kept, math.min(1, (reset - now) / math.max(1, window)))
  local wait = 0
  if left - kept < cost then
    wait = math.max(1, math.ceil(reset - now))
  elseif left - kept - cost < others then
    wait = wait_for_others(b, class, now, reset, window)
  end
  b.asked[class] = math.max(b.asked[class], now + wait + demand_ms(window))
  if wait == 0 then
    left, inflight = left - cost, inflight + cost
    b.spent[class], b.used[class] = math.min(b.share[class], b.spent[class] + cost), b.used[class] + cost
    redis.call('HSET', key, 'took', int(now))
    count_call(P, 'bigcommerce', class, cost)
  else
    count(P, 'waits:bigcommerce:' .. CLASSES[class], 1)
  end
  redis.call('HSET', key, 'left', int(left), 'reset', int(reset), 'inflight', inflight, 'shares', shares_text(b), 'fresh', 0)
  return wait
end)

-- rate_pace(cost, reserve_percent, class, weights) -> 0 = go, else milliseconds to wait. For work that gains by waiting (more
-- SKUs in one write): of what the class can have of the window, lent calls included, a quarter may be spent at once, the
-- rest as the window passes, so that a rush slows its rounds down instead of standing still at the window's end. What other
-- apps spent counts as ours.
register('rate_pace', function(P, args)
  local now, key = now_ms(), P .. 'rate:bigcommerce'
  local cost, reserve = tonumber(args[1]), tonumber(args[2])
  local class, weights = class_and_weights(args[3], args[4])
  local f = redis.call('HMGET', key, 'until', 'quota', 'left', 'reset', 'window', 'shares', 'fresh')
  local pause = (tonumber(f[1] or '') or 0) - now
  if pause > 0 then
    return math.ceil(pause)
  end
  local quota, left, reset, window = tonumber(f[2] or ''), tonumber(f[3] or ''), tonumber(f[4] or '') or 0, tonumber(f[5] or '') or 30000
  if not quota or not left or now >= reset or window <= 0 then
    return 0
  end
  local kept = math.ceil(quota * reserve / 100)
  local b = shares_read(f[6], f[7] == '1', quota - kept, weights)
  local others = owned_by_others(b, class, now, left - kept, math.min(1, (reset - now) / window))
  local used = b.used[1] + b.used[2] + b.used[3] + b.used[4] - b.used[class]
  local share = (quota - left - used + cost) / math.max(1, quota - kept - used - others)
  local passed = math.min(1, math.max(0, 1 - (reset - now) / window))
  local needed = (share - 0.25) / 0.75
  if needed <= passed then
    return 0
  end
  return math.max(1, math.ceil(math.min(reset - now, (needed - passed) * window)))
end)

-- rate_adopt(status, quota, left, reset_ms, window_ms, retry_after_s, jitter, took_ms): after every answer; -1 = header
-- absent; status 0 = no answer. Within a window `left` never rises (answers come out of order). An answer that took longer
-- than its own reset may speak of a window that is over: its figures are dropped.
register('rate_adopt', function(P, args)
  local now, key = now_ms(), P .. 'rate:bigcommerce'
  local status, quota, left = tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
  local reset_ms, window, after, jitter = tonumber(args[4]), tonumber(args[5]), tonumber(args[6]), tonumber(args[7])
  local took = tonumber(args[8] or '') or 0
  local f = redis.call('HMGET', key, 'left', 'reset', 'inflight', 'fails', 'window')
  local inflight = math.max(0, (tonumber(f[3] or '') or 0) - 1)
  redis.call('HSET', key, 'inflight', inflight)
  if window > 0 and window <= 3600000 then
    redis.call('HSET', key, 'window', window)
  else
    window = tonumber(f[5] or '') or 30000
  end
  if quota > 0 and left >= 0 and reset_ms >= 0 and reset_ms <= 3600000 and (took <= reset_ms or took < 200) then
    left = math.min(left, quota)
    local reset, ours = now + reset_ms + 50, tonumber(f[2] or '') or 0
    if math.abs(reset - ours) < window / 2 and f[1] then
      left = math.min(left, tonumber(f[1]))
      reset = math.max(reset, ours)
    else
      left = math.max(0, left - inflight)
      redis.call('HSET', key, 'fresh', 1)
    end
    redis.call('HSET', key, 'quota', quota, 'left', int(left), 'reset', int(reset))
  end
  if status == 429 then
    count(P, 'refused:bigcommerce', 1)
    local fails = redis.call('HINCRBY', key, 'fails', 1)
    local wait = math.max(after > 0 and after * 1000 or 0, reset_ms > 0 and reset_ms or 0)
    if wait == 0 then
      wait = backoff(fails, 1000, 60000, jitter)
    end
    pause_until(key, now + math.min(600000, math.max(100, wait)))
  elseif status == 0 or status >= 500 then
    count(P, 'failed:bigcommerce', 1)
    local fails = redis.call('HINCRBY', key, 'fails', 1)
    pause_until(key, now + backoff(fails, 250, 4000, jitter))
  elseif f[4] and f[4] ~= '0' then
    redis.call('HSET', key, 'fails', 0)
  end
  return 1
end)

-- sitoo_take(keys, slots, ttl_ms, holder, class, weights, waits, only) -> { key index from 1, slot, token } or { 0, wait_ms,
-- status }. One call in flight per API key (slots per key configurable): a short lease that a dead holder loses. waits: 0 = it
-- would not wait, so do not remember it. only: this key or none. status: 401 or 403 if all keys are refused, else 0.
register('sitoo_take', function(P, args)
  local now, keys, slots, ttl = now_ms(), tonumber(args[1]), tonumber(args[2]), args[3]
  local class, weights = class_and_weights(args[5], args[6])
  local only, wait, status = tonumber(args[8] or '') or 0, 10000, nil
  local t = turn(P, 'sitoo', class, now, weights)
  local ahead = t.ahead
  for i = only > 0 and only or 1, only > 0 and only or keys do
    local f = redis.call('HMGET', P .. 'rate:sitoo:' .. i, 'until', 'why')
    local pause = (tonumber(f[1] or '') or 0) - now
    if pause > 0 then
      wait = math.min(wait, pause)
      status = (f[2] == '401' or f[2] == '403') and status ~= '0' and f[2] or '0'
    else
      for s = 1, slots do
        local permit = P .. 'lease:sitoo:' .. i .. ':' .. s
        if redis.call('EXISTS', permit) == 0 then
          if ahead == 0 then
            local token = int(next_token(P))
            redis.call('SET', permit, token, 'PX', ttl)
            redis.call('HSET', P .. 'permits', i .. ':' .. s, args[4] or '')
            turn_taken(t)
            count_call(P, 'sitoo', class, 1)
            return { i, s, tonumber(token) }
          end
          ahead = ahead - 1 -- it is for somebody who waits and comes first
        end
      end
      wait, status = math.min(wait, 20), '0'
    end
  end
  if args[7] ~= '0' then
    turn_waits(P, t, now)
  end
  return { 0, math.max(1, math.ceil(wait)), tonumber(status or '0') }
end)

-- sitoo_give(key, slot, token, status, retry_after_ms, min_interval_ms, jitter, keys). A key that is refused (401, 403)
-- pauses if there are others, so that they do the work.
register('sitoo_give', function(P, args)
  local now, lease = now_ms(), P .. 'lease:sitoo:' .. args[1] .. ':' .. args[2]
  local status, after, pause, jitter = tonumber(args[4]), tonumber(args[5]), tonumber(args[6]), tonumber(args[7])
  local key, refused = P .. 'rate:sitoo:' .. args[1], (status == 401 or status == 403) and (tonumber(args[8] or '') or 1) > 1
  if redis.call('GET', lease) == args[3] then
    redis.call('DEL', lease)
  end
  if status == 429 or status == 0 or status >= 500 or refused then
    count(P, (status == 429 and 'refused' or refused and 'credentials' or 'failed') .. ':sitoo', 1)
    local fails = redis.call('HINCRBY', key, 'fails', 1)
    if refused then
      pause = backoff(fails, 30000, 300000, jitter)
    elseif after > 0 then
      pause = math.max(1000, math.min(600000, after))
    else
      pause = backoff(fails, status == 429 and 1000 or 250, status == 429 and 60000 or 4000, jitter)
    end
  else
    redis.call('HSET', key, 'fails', 0)
  end
  if pause > 0 then
    redis.call('HSET', key, 'why', status)
    pause_until(key, now + pause)
  end
  return 1
end)
