-- SPDX-License-Identifier: Apache-2.0
-- Where both catalogs do not fit: the result of the last sweep (shared/exceptions.h), and its cases.
--   exceptions        list of JSON rows, dearest first
--   exceptions:meta   sweep, at_ms, currency, n, and how many of each kind
--   exceptions:cases  ids of the cases that a sweep raised. The flow of products raises cases of the same causes: those are
--                     its own, and a sweep neither changes nor closes them.

-- exceptions_keep(sweep, rows, currency, k, k x (kind, count), then cases: cause, owner, entity, text, effect, step...) -> 1, or
-- 0 if the rows that were pushed to exceptions:new:<sweep> are not all there. Repeated with the same sweep it does nothing.
register('exceptions_keep', function(P, args)
  local n, k = tonumber(args[2]), tonumber(args[4])
  local first = k and 5 + 2 * k
  if not n or not first or #args < first - 1 or (#args - first + 1) % 6 ~= 0 then
    return refuse('exceptions_keep is cut short')
  end
  local meta, part, cases = P .. 'exceptions:meta', P .. 'exceptions:new:' .. args[1], P .. 'exceptions:cases'
  if redis.call('HGET', meta, 'sweep') == args[1] then
    return 1
  end
  if redis.call('LLEN', part) ~= n then
    return 0
  end
  local now, seen = now_ms(), {}
  redis.call('UNLINK', P .. 'exceptions', meta)
  if n > 0 then
    redis.call('RENAME', part, P .. 'exceptions')
    redis.call('PERSIST', P .. 'exceptions')
  end
  redis.call('HSET', meta, 'sweep', args[1], 'at_ms', int(now), 'currency', args[3], 'n', args[2], unpack(args, 5, first - 1))
  for i = first, #args, 6 do
    local id = args[i] .. ':' .. args[i + 2]
    local known = redis.call('EXISTS', P .. 'case:' .. id) == 1
    if not known or redis.call('SISMEMBER', cases, id) == 1 then
      -- Seen again is no further occurrence.
      park_case(P, now, known and 0 or 1, args[i], args[i + 1], args[i + 2], args[i + 3], args[i + 4], args[i + 5], '', '', '')
      seen[id] = true
    end
  end
  for _, id in ipairs(redis.call('SMEMBERS', cases)) do
    if not seen[id] then
      close_case(P, id)
    end
  end
  redis.call('DEL', cases)
  for id in pairs(seen) do
    redis.call('SADD', cases, id)
  end
  return 1
end)
