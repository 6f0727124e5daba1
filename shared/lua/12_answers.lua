-- SPDX-License-Identifier: Apache-2.0
-- Time to loss: what we did not take, and how long a platform still keeps it.
--   answers   "<route>|ok" ms of the last 200; and while none followed: "<route>|first", "|last" ms of the refused calls, "|n" how
--             many, "|why". route: "sitoo", "bigcommerce", or one of BigCommerce's, "bigcommerce/order-created".

local SITOO_KEEPS_MS = 24 * 3600000 -- Sitoo tries an event for about 24 hours (sitoo.md 4)
local SITOO_TRIES_MS = 2 * 3600000 -- at least hourly: longer without a try, and nothing waits
local HOOK_KEEPS_MS = 173040000 -- BigCommerce: eleven retries, 48 h 4 min (bigcommerce.md 5.2); the last after 24 h
local HOOK_TRIES_MS = 25 * 3600000
local HOOK_IDLE_MS = 90 * 86400000 -- a webhook without calls for so long is switched off
local HOOK_IDLE_SOON_MS = 15 * 86400000
local LOSS_CASES = 5000

local function forget_refused(P, route)
  redis.call('HDEL', P .. 'answers', route .. '|first', route .. '|last', route .. '|n', route .. '|why')
end

local function answered(P, now, route)
  redis.call('HSET', P .. 'answers', route .. '|ok', int(now))
  forget_refused(P, route)
end
-- answered: a call on one of several routes of a source was taken.
EFFECTS.answered = { 1, function(P, now, route) answered(P, now, route) end }

-- call_refused(route, why, n) -> 1: n calls were not taken.
register('call_refused', function(P, args)
  local now, key, route = now_ms(), P .. 'answers', args[1]
  if not args[3] or not args[3]:match('^%d+$') or not route:match('^[a-z/-]+$') then
    return refuse('call_refused: route and number of calls')
  end
  redis.call('HSETNX', key, route .. '|first', int(now))
  redis.call('HSET', key, route .. '|last', int(now), route .. '|why', args[2])
  redis.call('HINCRBY', key, route .. '|n', args[3])
  count(P, 'refused_calls:' .. route, args[3])
  return 1
end)

-- call_anonymous(route, n) -> 1: n calls that carried no secret at all. A platform sends ours: these are somebody else's, and
-- nothing waits for an answer to them.
register('call_anonymous', function(P, args)
  if not args[2] or not args[2]:match('^%d+$') or not args[1]:match('^[a-z/-]+$') then
    return refuse('call_anonymous: route and number of calls')
  end
  count(P, 'anonymous_calls:' .. args[1], args[2])
  return 1
end)

local function by_route(P)
  local routes, names, list = {}, {}, redis.call('HGETALL', P .. 'answers')
  for i = 1, #list, 2 do
    local route, what = list[i]:match('^(.*)|(%a+)$')
    if route and not routes[route] then
      routes[route] = {}
      names[#names + 1] = route
    end
    if route then
      routes[route][what] = list[i + 1]
    end
  end
  table.sort(names)
  return routes, names
end

-- Milliseconds until the platform drops the first of what it holds; -1 = nothing waits there.
local function route_left(now, route, f)
  local first, last, sitoo = tonumber(f.first or ''), tonumber(f.last or ''), route == 'sitoo'
  if not first or now - last > (sitoo and SITOO_TRIES_MS or HOOK_TRIES_MS) then
    return -1
  end
  return math.max(0, first + (sitoo and SITOO_KEEPS_MS or HOOK_KEEPS_MS) - now)
end

-- loss() -> { { route, left_ms or -1, refused, first_ms, last_ms, why, idle_left_ms or -1 }..., { entity, left_ms }... }: the
-- routes, and the webhooks of which BigCommerce told that a call failed.
register('loss', function(P)
  local now, routes, hooks = now_ms(), {}, {}
  local found, names = by_route(P)
  for _, route in ipairs(names) do
    local f = found[route]
    local left = route_left(now, route, f)
    if left < 0 and f.first then -- whoever called has stopped
      forget_refused(P, route)
      f = { ok = f.ok }
    end
    local ok = tonumber(f.ok or '') or now
    local idle = route ~= 'sitoo' and ok + HOOK_IDLE_MS - now or -1
    routes[#routes + 1] = { route, int(left), f.n or '0', f.first or '0', f.last or '0', f.why or '',
      int(idle >= 0 and idle < HOOK_IDLE_SOON_MS and idle or -1) }
  end
  for _, id in ipairs(redis.call('ZRANGE', P .. 'parked', 0, LOSS_CASES - 1)) do
    if id:match('^delivery_exception:.* code 90001$') then
      -- After that time it was switched off, which is another case, or a later try succeeded.
      local left = (tonumber(redis.call('HGET', P .. 'case:' .. id, 'first') or '') or now) + HOOK_KEEPS_MS - now
      if left > 0 then
        hooks[#hooks + 1] = { id:sub(20), int(left) }
      end
    end
  end
  return { routes, hooks }
end)
