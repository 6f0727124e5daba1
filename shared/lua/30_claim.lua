-- SPDX-License-Identifier: Apache-2.0
-- The due list. One sorted set per queue holds what is ready, deferred and claimed; the score is the next
-- moment at which the entity may be taken, so an expired lease is due again by itself: there is no reaper.
--
--            mark                    claim                     complete (gen unchanged)
--   (nothing) ---> ready (score=now) ------> claimed ------------------------------> settled (gone)
--                    ^   ^                   (score=now+lease)  \
--                    |   |  lease over, complete after new gen |  \ defer
--                    |   +-------------------------------------+   v
--                    +------------------------------------------- deferred (score=now+delay)

-- claim(queue, limit, lease_ms, max_tries, owner, holder) -> { wait_ms or -1, { entity, token, tries, till, hint, data, since }... }
-- An attempt is counted before the work, so an entity that kills its worker parks itself.
register('claim', function(P, args)
  local now = now_ms()
  local queue, limit, lease_ms, max_tries, owner = args[1], args[2], tonumber(args[3]), tonumber(args[4]), args[5]
  local holder = args[6] or ''
  local due = P .. 'due:' .. queue
  local out = { -1 }
  for _, entity in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', int(now), 'LIMIT', 0, limit)) do
    local job = job_key(P, queue, entity)
    local f = redis.call('HMGET', job, 'gen', 'tries', 'till', 'ctill', 'hint', 'chint', 'data', 'since', 'cause')
    local tries = (tonumber(f[2] or '') or 0) + 1
    if not f[1] then
      redis.call('ZREM', due, entity)
    elseif tries > max_tries then
      park_case(P, now, 1, 'too_many_tries', owner, queue .. ' ' .. entity,
        'It was tried ' .. max_tries .. ' times without success; last cause: ' .. (f[9] or 'the worker died'),
        'Its stock or order may be out of date', 'Look at the cause, then run: onepool parked --retry', queue, entity,
        f[7] or '')
      redis.call('ZREM', due, entity)
      redis.call('DEL', job)
    else
      local token = next_token(P)
      local hint, till = join_words(f[6], f[5]), earlier(f[3], f[4])
      redis.call('HSET', job, 'tries', tries, 'tok', token, 'lease', '1', 'cgen', f[1], 'chint', hint, 'ctill', int(till),
        'by', holder)
      redis.call('HDEL', job, 'hint', 'till')
      if queue == 'sku' then
        event_taken(now, job)
      end
      redis.call('ZADD', due, int(now + lease_ms), entity)
      out[#out + 1] = { entity, token, tries, int(till), hint, f[7] or '', f[8] or int(now) }
    end
  end
  out[1] = first_in_ms(due, now)
  return out
end)

-- due_count(queue) -> { entities that may be taken now, ms until the next one or -1 }
register('due_count', function(P, args)
  local now, due = now_ms(), P .. 'due:' .. args[1]
  local n = redis.call('ZCOUNT', due, '-inf', int(now))
  return { n, first_in_ms(due, now) }
end)

-- True if the worker that holds token still holds the lease; a late worker is fenced.
local function holds(P, queue, entity, token)
  local f = redis.call('HMGET', job_key(P, queue, entity), 'tok', 'lease')
  return f[1] == token and f[2] == '1'
end

local function settle(P, now, queue, entity)
  local job, due = job_key(P, queue, entity), P .. 'due:' .. queue
  local f = redis.call('HMGET', job, 'gen', 'cgen')
  if f[1] == f[2] then
    redis.call('DEL', job)
    redis.call('ZREM', due, entity)
    return 1
  end
  redis.call('HSET', job, 'lease', '0', 'tries', '0', 'since', int(now))
  redis.call('HDEL', job, 'chint', 'ctill', 'cause', 'cevent', 'cwaits', 'taken')
  redis.call('ZADD', due, int(now), entity)
  wake(P, queue)
  return 0
end

-- complete(queue, n, n x (entity, token), effects...) -> per entity 1 settled, 0 due again, -1 fenced.
-- With effects it is all or nothing: one fenced entity, and nothing is applied nor settled (-1 for all).
register('complete', function(P, args)
  local now, queue, n = now_ms(), args[1], tonumber(args[2])
  local out, all, from = {}, true, 3 + 2 * n
  local wrong = wrong_effects(args, from, #args)
  if wrong then
    return refuse(wrong)
  end
  for i = 1, n do
    out[i] = holds(P, queue, args[1 + 2 * i], args[2 + 2 * i]) and 1 or -1
    all = all and out[i] == 1
  end
  if from <= #args and not all then
    for i = 1, n do
      out[i] = -1
    end
    return out
  end
  apply_effects(P, now, args, from, #args, n > 0 and from <= #args and came_first(P, queue, args, n) or nil)
  for i = 1, n do
    if out[i] == 1 then
      out[i] = settle(P, now, queue, args[1 + 2 * i])
    end
  end
  return out
end)

-- Ends a lease without settling: hints and till time go back to where the next claim finds them.
local function give_back(P, queue, entity, at_ms, counted, cause)
  local job = job_key(P, queue, entity)
  local f = redis.call('HMGET', job, 'hint', 'chint', 'till', 'ctill', 'tries')
  redis.call('HSET', job, 'lease', '0', 'hint', join_words(f[2], f[1]), 'till', int(earlier(f[3], f[4])), 'cause', cause)
  redis.call('HDEL', job, 'chint', 'ctill')
  if not counted then
    redis.call('HSET', job, 'tries', math.max(0, (tonumber(f[5] or '') or 1) - 1))
  end
  redis.call('ZADD', P .. 'due:' .. queue, int(at_ms), entity)
end

-- defer(queue, delay_ms, counted, cause, n, n x (entity, token)) -> per entity 1 or -1.
-- counted = 0 gives the attempt back (outage, quota, shutdown).
register('defer', function(P, args)
  local now, queue, delay, n = now_ms(), args[1], tonumber(args[2]), tonumber(args[5])
  local out, given = {}, 0
  for i = 1, n do
    local entity, token = args[4 + 2 * i], args[5 + 2 * i]
    local held = holds(P, queue, entity, token)
    if held then
      give_back(P, queue, entity, now + delay, args[3] ~= '0', args[4])
      given = given + 1
    end
    out[i] = held and 1 or -1
  end
  if given > 0 then
    -- The one place where work is put off. By the cause's name: its text has numbers.
    count(P, 'deferred:' .. queue .. ':' .. string.match(args[4], '^[^:]*'), given)
  end
  wake(P, queue)
  return out
end)

-- recover(holder, queues...) -> how many leases were ended. For a worker that replaces one that died: holder names the place
-- (function, parent, number), so what it held is due again at once instead of when its lease ends. The attempt stays counted.
register('recover', function(P, args)
  local now, holder, n = now_ms(), args[1], 0
  for q = 2, #args do
    for _, entity in ipairs(redis.call('ZRANGE', P .. 'due:' .. args[q], 0, 9999)) do
      local f = redis.call('HMGET', job_key(P, args[q], entity), 'lease', 'by')
      if f[1] == '1' and f[2] == holder then
        give_back(P, args[q], entity, now, true, 'the worker died')
        n = n + 1
      end
    end
  end
  local permits = redis.call('HGETALL', P .. 'permits')
  for i = 1, #permits, 2 do
    if permits[i + 1] == holder then
      redis.call('DEL', P .. 'lease:sitoo:' .. permits[i])
      redis.call('HDEL', P .. 'permits', permits[i])
    end
  end
  return n
end)

-- tick(queue, entity, token, delay_ms): a timer entity. It is never settled: due again after delay_ms, or at once if
-- something marked it meanwhile. Returns 1, or -1 if fenced.
register('tick', function(P, args)
  local now, queue, entity = now_ms(), args[1], args[2]
  if not holds(P, queue, entity, args[3]) then
    return -1
  end
  local job = job_key(P, queue, entity)
  local f = redis.call('HMGET', job, 'gen', 'cgen')
  local at = f[1] == f[2] and now + tonumber(args[4]) or now
  redis.call('HSET', job, 'lease', '0', 'tries', '0', 'since', int(at)) -- it waits on purpose: late only after that
  redis.call('HDEL', job, 'chint', 'ctill')
  redis.call('HDEL', job, 'cause')
  redis.call('ZADD', P .. 'due:' .. queue, int(at), entity)
  if f[1] ~= f[2] then
    wake(P, queue)
  end
  return 1
end)

-- extend(queue, lease_ms, n, n x (entity, token)) -> how many are still held
register('extend', function(P, args)
  local now, queue, lease_ms, n = now_ms(), args[1], tonumber(args[2]), tonumber(args[3])
  local held = 0
  for i = 1, n do
    local entity, token = args[2 + 2 * i], args[3 + 2 * i]
    if holds(P, queue, entity, token) then
      redis.call('ZADD', P .. 'due:' .. queue, int(now + lease_ms), entity)
      held = held + 1
    end
  end
  return held
end)

-- park(queue, entity, token, nine values of a case): the case and the completion in one step.
register('park', function(P, args)
  local now, queue, entity, token = now_ms(), args[1], args[2], args[3]
  if not holds(P, queue, entity, token) then
    return -1
  end
  park_case(P, now, 1, unpack(args, 4, 12))
  return settle(P, now, queue, entity)
end)

-- How a case ends: how = retry (due again), ignore (closed, and counted only from now on), close. 1, or 0 if there is no such
-- case; and the queue to wake.
local function unpark(P, now, id, how)
  local f = redis.call('HMGET', P .. 'case:' .. id, 'queue', 'job', 'bytes')
  if close_case(P, id, how) == 0 then
    return 0
  end
  if how == 'ignore' then
    redis.call('SADD', P .. 'ignore', id)
  elseif how == 'retry' and f[1] and f[1] ~= '' then
    -- What it was parked with, unless something newer came meanwhile.
    local newer = redis.call('EXISTS', job_key(P, f[1], f[2])) == 1
    mark(P, now, f[1], f[2], '', 'f', not newer and f[3] or '')
    return 1, f[1]
  end
  return 1
end

-- unpark(id, how) -> 1, or 0 if there is no such case.
register('unpark', function(P, args)
  local done, queue = unpark(P, now_ms(), args[1], args[2])
  if queue then
    wake(P, queue)
  end
  return done
end)
