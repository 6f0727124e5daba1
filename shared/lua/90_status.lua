-- SPDX-License-Identifier: Apache-2.0
-- status(limit, queues...) -> per queue { name, ready, claimed, deferred, oldest age in ms, total }.
-- Looks at no more than `limit` entities of a queue; total counts all.
register('status', function(P, args)
  local now, limit, out = now_ms(), tonumber(args[1]), {}
  for q = 2, #args do
    local due = P .. 'due:' .. args[q]
    local ready, claimed, deferred, oldest = 0, 0, 0, 0
    local list = redis.call('ZRANGE', due, 0, limit - 1, 'WITHSCORES')
    for i = 1, #list, 2 do
      local f = redis.call('HMGET', job_key(P, args[q], list[i]), 'lease', 'since')
      if tonumber(list[i + 1]) <= now then
        ready = ready + 1
      elseif f[1] == '1' then
        claimed = claimed + 1
      else
        deferred = deferred + 1
      end
      oldest = math.max(oldest, now - (tonumber(f[2] or '') or now))
    end
    out[#out + 1] = { args[q], ready, claimed, deferred, oldest, redis.call('ZCARD', due) }
  end
  return out
end)
