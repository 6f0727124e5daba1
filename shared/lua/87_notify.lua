-- SPDX-License-Identifier: Apache-2.0
-- Notifications of urgent cases, by channel: "webhook" and "email", each with a timer of its own in the queue notify, so that a
-- sink that is down keeps the other from nothing.
--   notify:causes            set   "channel cause": what is told, by which channel
--   notify:new:<channel>     zset  case ids to be told, by the time from when on they may be
--   notify:told:<channel>    zset  case ids by the time when they were told; gone after the quiet time
--   notify:batch:<channel>   hash  id, at, body: one message on its way, sent again with the same id until it is through; ids: JSON,
--                            the cases that it names; left: how many it does not
--   notify:state             hash  "<channel>:ok", ":since", ":why": last success; failing since when, and why; after a message
--                            that was refused: ":most" cases that the next names; ":left" that the refused one did not name

local NOTIFY_GROUP_MS = 60000 -- at most one message a minute: what comes meanwhile goes with the next
local NOTIFY_CASES = 50 -- named in one message
local NOTIFY_LOOK = 5000

-- notify_causes(channel, on, causes...) -> 1 if anything changed. Open cases of a cause that was not told before are told.
register('notify_causes', function(P, args)
  local now, channel, key, wanted = now_ms(), args[1], P .. 'notify:causes', {}
  local changed = false
  for i = 3, args[2] == '1' and #args or 2 do
    wanted[channel .. ' ' .. args[i]] = true
  end
  if args[2] ~= '1' then -- switched off: switched on again, it tells all open cases
    local state = channel .. ':'
    redis.call('DEL', P .. 'notify:new:' .. channel, P .. 'notify:batch:' .. channel, P .. 'notify:told:' .. channel)
    redis.call('HDEL', P .. 'notify:state', state .. 'since', state .. 'why', state .. 'most', state .. 'left')
  end
  for _, word in ipairs(redis.call('SMEMBERS', key)) do
    if word:sub(1, #channel + 1) == channel .. ' ' and not wanted[word] then
      redis.call('SREM', key, word)
      changed = true
    end
  end
  local fresh = {}
  for word in pairs(wanted) do
    if redis.call('SADD', key, word) == 1 then
      fresh[word:sub(#channel + 2)] = true
      changed = true
    end
  end
  if next(fresh) then
    for _, id in ipairs(redis.call('ZRANGE', P .. 'parked', 0, NOTIFY_LOOK - 1)) do
      if fresh[id:match('^([^:]*)')] then
        redis.call('ZADD', P .. 'notify:new:' .. channel, 'NX', int(now), id)
      end
    end
    mark(P, now, 'notify', channel, '', '', '')
    wake(P, 'notify')
  end
  return changed and 1 or 0
end)

-- One case as the message names it. Its text is left out: it may quote what a platform said.
local function notify_entry(P, id)
  local f = redis.call('HMGET', P .. 'case:' .. id, 'cause', 'entity', 'owner', 'effect', 'step', 'count', 'first')
  if not f[1] then
    return nil
  end
  return { case = f[1], entity = f[2], owner = f[3], effect = f[4], step = f[5], count = tonumber(f[6]) or 0,
    first_ms = tonumber(f[7]) or 0 }
end

-- notify_take(channel, id for a new message, quiet_ms) -> { wait_ms or -1, id, at_ms, body } or { wait_ms }: the message on its way,
-- or a new one of all cases that are to be told now.
register('notify_take', function(P, args)
  local now, channel, quiet = now_ms(), args[1], tonumber(args[3])
  local batch, new, told = P .. 'notify:batch:' .. channel, P .. 'notify:new:' .. channel, P .. 'notify:told:' .. channel
  local f = redis.call('HMGET', batch, 'id', 'at', 'body')
  if f[1] then
    return { 0, f[1], f[2], f[3] }
  end
  redis.call('ZREMRANGEBYSCORE', told, '-inf', '(' .. int(now - quiet))
  local state = P .. 'notify:state'
  local sent = tonumber(redis.call('HGET', state, channel .. ':ok') or '') or 0
  if now - sent < NOTIFY_GROUP_MS and redis.call('EXISTS', new) == 1 then
    return { sent + NOTIFY_GROUP_MS - now }
  end
  local most, left = redis.call('HGET', state, channel .. ':most'), tonumber(redis.call('HGET', state, channel .. ':left') or '0')
  local cases, ids, named = {}, {}, {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', new, '-inf', int(now), 'LIMIT', 0, NOTIFY_LOOK)) do
    local before = tonumber(redis.call('ZSCORE', told, id) or '')
    local entry = not before and notify_entry(P, id)
    if before then
      redis.call('ZADD', new, int(before + quiet + 1), id) -- it came again soon: told if it is still there then
    elseif not entry then
      redis.call('ZREM', new, id)
    elseif #cases < tonumber(most or NOTIFY_CASES) then
      ids[#ids + 1], named[#named + 1] = id, id
      cases[#cases + 1] = entry
    elseif not most then
      ids[#ids + 1] = id
      left = left + 1
    end
  end
  if #cases == 0 then
    redis.call('HDEL', state, channel .. ':most', channel .. ':left')
    return { first_in_ms(new, now) }
  end
  for _, id in ipairs(ids) do
    redis.call('ZREM', new, id)
    redis.call('ZADD', told, int(now), id)
  end
  local body = cjson.encode({ cases = cases, left_out = left })
  redis.call('HSET', batch, 'id', args[2], 'at', int(now), 'body', body, 'ids', cjson.encode(named), 'left', int(left))
  redis.call('HDEL', state, channel .. ':left')
  return { 0, args[2], int(now), body }
end)

-- A message that a sink will never take: of those whom it names, half as many are in the next, until it is one, which is given up.
-- A case that closed meanwhile is not told any more.
local function notify_refused(P, now, channel, f)
  local state, ids = P .. 'notify:state', cjson.decode(f[2] or '[]')
  redis.call('DEL', P .. 'notify:batch:' .. channel)
  if #ids < 2 then
    redis.call('HDEL', state, channel .. ':most')
    redis.call('HSET', state, channel .. ':left', f[3] or '0')
    count(P, 'notify:undeliverable:' .. channel, 1)
    return 1
  end
  local new = P .. 'notify:new:' .. channel
  local head = earlier(now, redis.call('ZRANGE', new, 0, 0, 'WITHSCORES')[2]) - #ids - 1
  for i, id in ipairs(ids) do -- in their order, before all others
    redis.call('ZREM', P .. 'notify:told:' .. channel, id)
    redis.call('ZADD', new, int(head + i), id)
  end
  redis.call('HSET', state, channel .. ':most', int(math.floor(#ids / 2)), channel .. ':left', f[3] or '0')
  return 0
end

-- notify_refused(channel, id, why) -> 1: its one case is given up; 0: fewer go with the next; -1: it is not the message on its way.
register('notify_refused', function(P, args)
  local now, channel, state = now_ms(), args[1], P .. 'notify:state'
  local f = redis.call('HMGET', P .. 'notify:batch:' .. channel, 'id', 'ids', 'left')
  if f[1] ~= args[2] then
    return -1
  end
  redis.call('HSETNX', state, channel .. ':since', int(now))
  redis.call('HSET', state, channel .. ':why', args[3])
  count(P, 'notify:failed:' .. channel, 1)
  return notify_refused(P, now, channel, f)
end)

-- notify_sent(channel, id, why) -> -1: it is through, if why is ''; else it failed, and stays: for how long it has failed (ms).
register('notify_sent', function(P, args)
  local now, channel, state = now_ms(), args[1], P .. 'notify:state'
  if args[3] ~= '' then
    redis.call('HSETNX', state, channel .. ':since', int(now))
    redis.call('HSET', state, channel .. ':why', args[3])
    count(P, 'notify:failed:' .. channel, 1)
    return now - tonumber(redis.call('HGET', state, channel .. ':since'))
  end
  if redis.call('HGET', P .. 'notify:batch:' .. channel, 'id') ~= args[2] then
    return -1
  end
  redis.call('DEL', P .. 'notify:batch:' .. channel)
  redis.call('HDEL', state, channel .. ':since', channel .. ':why')
  redis.call('HSET', state, channel .. ':ok', int(now))
  count(P, 'notify:sent:' .. channel, 1)
  return -1
end)

-- notify_state(channels...) -> per channel { channel, waiting (not those that wait for the quiet time), ok ms, failing since ms, why }
register('notify_state', function(P, args)
  local out = {}
  for _, channel in ipairs(args) do
    local f = redis.call('HMGET', P .. 'notify:state', channel .. ':ok', channel .. ':since', channel .. ':why')
    out[#out + 1] = { channel, redis.call('ZCOUNT', P .. 'notify:new:' .. channel, '-inf', int(now_ms()))
      + redis.call('EXISTS', P .. 'notify:batch:' .. channel), f[1] or '0', f[2] or '0', f[3] or '' }
  end
  return out
end)
