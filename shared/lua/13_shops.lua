-- SPDX-License-Identifier: Apache-2.0
-- When is a shop usually busy? Movements of stock by warehouse, as half-minutes with at least one, so that a delivery of a
-- thousand rows counts like one sale.
--   shop:<warehouse>   last, counted (ms), week, weeks; c<hour> of this week so far, a<hour> average of the weeks before, in thousandths.
--                      hour: 0..167, hours of the week in UTC.

local HOUR_MS = 3600000
local WEEK_HOURS = 168
local SHOP_STEP_MS = 30000
local SHOP_WEEKS = 2 -- whole weeks that are known before anything is called unusual
local SHOP_LOOK_HOURS = 72
local SHOP_NEW = 300 -- of a new week in the average, in thousandths

-- A week is over: it goes into the average. weeks: how many passed, with nothing in all but the first.
local function shop_week_over(key, weeks)
  local all, f = {}, redis.call('HGETALL', key)
  for i = 1, #f, 2 do
    all[f[i]] = f[i + 1]
  end
  local first, set = (tonumber(all.weeks or '') or 0) == 0, {}
  for hour = 0, WEEK_HOURS - 1 do
    local average, here = tonumber(all['a' .. hour] or '') or 0, (tonumber(all['c' .. hour] or '') or 0) * 1000
    if average > 0 or here > 0 then
      average = first and here or (average * (1000 - SHOP_NEW) + here * SHOP_NEW) / 1000
      for _ = 2, math.min(weeks, 12) do
        average = average * (1000 - SHOP_NEW) / 1000
      end
      set[#set + 1] = 'a' .. hour
      set[#set + 1] = int(math.floor(average))
      redis.call('HDEL', key, 'c' .. hour)
    end
  end
  if #set > 0 then
    redis.call('HSET', key, unpack(set))
  end
  redis.call('HINCRBY', key, 'weeks', weeks)
end

local function shop_moved(P, now, warehouse)
  local key, hours = P .. 'shop:' .. warehouse, math.floor(now / HOUR_MS)
  local week = math.floor(hours / WEEK_HOURS)
  local f = redis.call('HMGET', key, 'counted', 'week')
  local since = tonumber(f[2] or '')
  if since and since < week then
    shop_week_over(key, week - since)
  end
  redis.call('HSET', key, 'last', int(now), 'week', int(week))
  if not f[1] or now - tonumber(f[1]) >= SHOP_STEP_MS then
    redis.call('HSET', key, 'counted', int(now))
    redis.call('HINCRBY', key, 'c' .. int(hours % WEEK_HOURS), 1)
  end
  close_case(P, 'shop_silent:' .. warehouse)
end

-- What would usually have come since the last movement, in thousandths of half-minutes. An hour counts as busy as the least of
-- itself and its neighbours: the clocks change twice a year, and shops open late.
local function shop_missed(key, now, last)
  local missed, from = 0, math.max(last, now - SHOP_LOOK_HOURS * HOUR_MS)
  local averages = {}
  local function average(hour)
    hour = hour % WEEK_HOURS
    averages[hour] = averages[hour] or tonumber(redis.call('HGET', key, 'a' .. int(hour)) or '') or 0
    return averages[hour]
  end
  while from < now do
    local hour = math.floor(from / HOUR_MS)
    local to = math.min(now, (hour + 1) * HOUR_MS)
    missed = missed + math.min(average(hour - 1), average(hour), average(hour + 1)) * (to - from) / HOUR_MS
    from = to
  end
  return missed
end

-- Per warehouse of args[first..] that is known well enough: { warehouse, last_ms, missed in thousandths }.
local function shops_look(P, now, args, first)
  local out = {}
  for i = first, #args do
    local key = P .. 'shop:' .. args[i]
    local f = redis.call('HMGET', key, 'last', 'weeks', 'week')
    local weeks = (tonumber(f[2] or '') or 0)
    if f[1] and weeks >= SHOP_WEEKS then
      out[#out + 1] = { args[i], f[1], int(math.floor(shop_missed(key, now, tonumber(f[1])))) }
    end
  end
  return out
end

-- shops(warehouses...)
register('shops', function(P, args)
  return shops_look(P, now_ms(), args, 1)
end)

-- shops_silent(missed, least_ms, owner, warehouses...) -> how many cases are open. missed: half-minutes that would usually have
-- had a movement, in thousandths. While Sitoo's ledger cannot be read nobody is called silent: it is we who hear nothing.
register('shops_silent', function(P, args)
  local now, open = now_ms(), 0
  local ledger = redis.call('HMGET', P .. 'job:ledger:main', 'cause', 'since')
  if ledger[1] and ledger[1] ~= '' or now - (tonumber(ledger[2] or '') or 0) > 120000 then
    return 0
  end
  for _, shop in ipairs(shops_look(P, now, args, 4)) do
    local quiet, missed = now - tonumber(shop[2]), tonumber(shop[3])
    local id = 'shop_silent:' .. shop[1]
    if missed >= tonumber(args[1]) and quiet >= tonumber(args[2]) then
      park_case(P, now, redis.call('EXISTS', P .. 'case:' .. id) == 1 and 0 or 1, 'shop_silent', args[3], shop[1],
        'Nothing was sold or moved in warehouse ' .. shop[1] .. ' for ' .. int(math.floor(quiet / 60000)) .. ' minutes; at this time of '
        .. 'the week there are usually some ' .. int(math.floor(missed / 1000)) .. ' half-minutes with movements in that time',
        'What its tills sell meanwhile is not known, and the web shop may sell it again',
        'Ask the shop whether its tills are online. The case closes by itself with the next movement', '', '', '')
      open = open + 1
    end
  end
  return open
end)
