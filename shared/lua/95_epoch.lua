-- SPDX-License-Identifier: Apache-2.0
-- The epoch of what Redis holds. Redis can lose everything (emptied, another server) or its last part (an append-only file
-- that was cut, a fail-over, a restored backup). Whoever remembers the epoch's id and a position of it notices: the id
-- is gone or another one, or the position went back. The position is the counter of fencing tokens, which moves
-- with every durable effect.
--
--   epoch: hash: id, state (new, lossy, whole), cause, since_ms (of the state), from_ms (what was lost is younger),
--   was:<id> = an id before; restored: deploy/restore.sh filled Redis, which nobody may remember (another machine); while it is rebuilt: step, done, total ('' = unknown), problem (why it does not go on)

-- When the last thing that is still there was recorded, less a margin; 0 = nothing is there.
local function last_record_ms(P)
  local last = 0
  for _, stream in ipairs({ 'journal', 'ledger' }) do
    local entry = redis.call('XREVRANGE', P .. stream, '+', '-', 'COUNT', 1)[1]
    if entry then
      last = math.max(last, tonumber(string.match(entry[1], '^(%d+)')))
    end
  end
  return last > 0 and math.max(1, last - 600000) or 0
end

-- What is remembered of BigCommerce's levels may be newer or older than what Redis now says, so it is read again.
local function forget_levels(P)
  redis.call('DEL', P .. 'level:live', P .. 'unconfirmed', P .. 'recheck', P .. 'verify')
  redis.call('HDEL', P .. 'cursor', 'orders')
end

local function begin_epoch(P, now, old, state, cause, position)
  local id = int(now * 1000 + math.floor(position % 1000))
  local from = state == 'lossy' and last_record_ms(P) or 0
  redis.call('HSET', P .. 'epoch', 'id', id, 'state', state, 'cause', cause, 'since_ms', int(now), 'from_ms', int(from))
  redis.call('HDEL', P .. 'epoch', 'step', 'done', 'total', 'problem')
  if old ~= '' then
    redis.call('HSET', P .. 'epoch', 'was:' .. old, 1)
  end
  if state == 'lossy' then
    redis.call('HSET', P .. 'epoch', 'lossy_ms', int(now))
    local token = tonumber(redis.call('GET', P .. 'token') or '') or 0
    redis.call('SET', P .. 'token', int(math.max(token, now * 1000, position) + 1))
    forget_levels(P)
    redis.call('DEL', P .. 'lease:writer') -- its holder may be one of that other time; a living one takes it again
    count(P, 'epochs:lossy', 1)
  end
end

-- epoch_check(id, position) -> { id, state, position, cause, from_ms, since_ms of the first start or 0 }. id '' and position 0: nothing is remembered.
register('epoch_check', function(P, args)
  local now, id, position = now_ms(), args[1], tonumber(args[2]) or 0
  local key = P .. 'epoch'
  local stored = redis.call('HGET', key, 'id')
  local here = tonumber(redis.call('GET', P .. 'token') or '') or 0
  if not stored then
    -- A store from before epochs were kept is whole; an empty one is new, unless somebody remembers another.
    if id ~= '' then
      begin_epoch(P, now, id, 'lossy', 'Redis is empty or another one', position)
    else
      begin_epoch(P, now, '', redis.call('EXISTS', P .. 'cursor') == 1 and 'whole' or 'new', '', 0)
    end
  elseif redis.call('HDEL', key, 'restored') == 1 then
    if id ~= '' then
      redis.call('HSET', key, 'was:' .. id, 1)
    end
    begin_epoch(P, now, stored, 'lossy', 'Redis was restored from a copy', position)
  elseif id ~= '' and id ~= stored and redis.call('HEXISTS', key, 'was:' .. id) == 0 then
    redis.call('HSET', key, 'was:' .. stored, 1)
    begin_epoch(P, now, id, 'lossy', 'Redis is of another time: a backup or another server', position)
  elseif id == stored and here < position then
    begin_epoch(P, now, id, 'lossy', 'Redis went back: its last part is lost', position)
  end
  local f = redis.call('HMGET', key, 'id', 'state', 'cause', 'from_ms')
  local first = tonumber(redis.call('HGET', P .. 'cursor', 'since') or '') or 0
  return { f[1], f[2], tonumber(redis.call('GET', P .. 'token') or '') or 0, f[3] or '', tonumber(f[4] or '') or 0, first }
end)

-- epoch_step(id, step, done, total or '', problem or ''): how far the rebuild is, for /status. 0 if another epoch has begun.
register('epoch_step', function(P, args)
  if redis.call('HGET', P .. 'epoch', 'id') ~= args[1] then
    return 0
  end
  redis.call('HSET', P .. 'epoch', 'step', args[2], 'done', args[3], 'total', args[4], 'problem', args[5])
  return 1
end)

-- epoch_whole(id): everything is rebuilt. 0 if another epoch has begun meanwhile.
register('epoch_whole', function(P, args)
  if redis.call('HGET', P .. 'epoch', 'id') ~= args[1] then
    return 0
  end
  redis.call('HSET', P .. 'epoch', 'state', 'whole', 'since_ms', int(now_ms()))
  redis.call('HDEL', P .. 'epoch', 'step', 'done', 'total', 'problem')
  return 1
end)

-- money_wait(repeat_ms) -> ms until money may move: not while it is unknown whether Redis is whole, and after a loss not before
-- a refund that was sent just then, and forgotten, must have become visible.
register('money_wait', function(P, args)
  local f = redis.call('HMGET', P .. 'epoch', 'state', 'lossy_ms')
  if f[1] ~= 'whole' then
    return 5000
  end
  return math.max(0, (tonumber(f[2] or '') or -tonumber(args[1])) + tonumber(args[1]) - now_ms())
end)
