-- SPDX-License-Identifier: Apache-2.0
-- Replaying what was received once (onepool replay). replay:<id> is one preview, and how far it was applied: state (looked,
-- begun, done), at (position of the last step), done (events), choice, to_ms, looked_ms, begun_ms, ended_ms, by.

local REPLAY_KEEP_S = 7 * 86400

-- retry: a parked case is tried again, as `onepool parked --retry` does.
EFFECTS.retry = { 1, function(P, now, id)
  local _, queue = unpark(P, now, id, 'retry')
  return queue
end }

-- replay_look(id, choice, to_ms) -> state before. A preview that was applied may be looked at, and then applied, again; one that was
-- begun stays so, since it goes on where it stopped.
register('replay_look', function(P, args)
  local key = P .. 'replay:' .. args[1]
  local state = redis.call('HGET', key, 'state') or ''
  if state ~= 'begun' then
    redis.call('DEL', key)
    redis.call('HSET', key, 'state', 'looked', 'at', '', 'done', '0', 'choice', args[2], 'to_ms', args[3], 'looked_ms', int(now_ms()))
  end
  redis.call('EXPIRE', key, REPLAY_KEEP_S)
  return state
end)

-- replay_begin(id, by) -> { state before, at, done }
register('replay_begin', function(P, args)
  local key = P .. 'replay:' .. args[1]
  local f = redis.call('HMGET', key, 'state', 'at', 'done')
  if f[1] == 'looked' then
    redis.call('HSET', key, 'state', 'begun', 'begun_ms', int(now_ms()), 'by', args[2])
    redis.call('EXPIRE', key, REPLAY_KEEP_S)
  end
  return { f[1] or '', f[2] or '', tonumber(f[3] or '0') }
end)

-- replay_step(id, from, to, n, effects...) -> 1, or 0 if the last step did not end at `from`: it was done before (an answer was
-- lost), or somebody else goes on with it. Effects and position in one step, so that each event is replayed once per run.
register('replay_step', function(P, args)
  local key = P .. 'replay:' .. args[1]
  local wrong = not args[4]:match('^%d+$') and 'replay_step: no number' or wrong_effects(args, 5, #args)
  if wrong then
    return refuse(wrong)
  end
  local f = redis.call('HMGET', key, 'state', 'at')
  if f[1] ~= 'begun' or f[2] ~= args[2] then
    return f[1] == 'begun' and f[2] == args[3] and 1 or 0
  end
  apply_effects(P, now_ms(), args, 5, #args)
  redis.call('HSET', key, 'at', args[3])
  redis.call('HINCRBY', key, 'done', args[4])
  redis.call('EXPIRE', key, REPLAY_KEEP_S)
  return 1
end)

-- replay_end(id) -> 1
register('replay_end', function(P, args)
  local key = P .. 'replay:' .. args[1]
  if redis.call('HGET', key, 'state') == 'begun' then
    redis.call('HSET', key, 'state', 'done', 'ended_ms', int(now_ms()))
  end
  return 1
end)
