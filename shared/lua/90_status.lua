-- SPDX-License-Identifier: Apache-2.0
-- What is going on, for /status, /metrics and the command for operators. Nothing is changed here, and every call has a
-- limit, since Redis serves nobody else meanwhile (2,000 entities or cases take some 8 ms).

local function flat(counts)
  local out = {}
  for name, n in pairs(counts) do
    out[#out + 1] = name
    out[#out + 1] = n
  end
  return out
end

-- status(limit, queues...) -> per queue { name, ready, claimed, deferred, oldest age in ms, total, { cause, deferred... } }.
-- Looks at no more than `limit` entities of a queue; total counts all.
register('status', function(P, args)
  local now, limit, out = now_ms(), tonumber(args[1]), {}
  for q = 2, #args do
    local due = P .. 'due:' .. args[q]
    local ready, claimed, deferred, oldest, causes = 0, 0, 0, 0, {}
    local list = redis.call('ZRANGE', due, 0, limit - 1, 'WITHSCORES')
    for i = 1, #list, 2 do
      local f = redis.call('HMGET', job_key(P, args[q], list[i]), 'lease', 'since', 'cause')
      if tonumber(list[i + 1]) <= now then
        ready = ready + 1
      elseif f[1] == '1' then
        claimed = claimed + 1
      else
        deferred = deferred + 1
        local cause = f[3] and f[3] ~= '' and f[3] or 'waits' -- on purpose: a timer, an open order
        causes[cause] = (causes[cause] or 0) + 1
      end
      oldest = math.max(oldest, now - (tonumber(f[2] or '') or now))
    end
    out[#out + 1] = { args[q], ready, claimed, deferred, oldest, redis.call('ZCARD', due), flat(causes) }
  end
  return out
end)

-- parked_counts(limit) -> { total, { cause, n... }, { queue, n... }, { "queue cause", n... } } over the oldest `limit` cases; total counts all.
register('parked_counts', function(P, args)
  local causes, queues, both = {}, {}, {}
  for _, id in ipairs(redis.call('ZRANGE', P .. 'parked', 0, tonumber(args[1]) - 1)) do
    local f = redis.call('HMGET', P .. 'case:' .. id, 'cause', 'queue')
    local cause, queue = f[1] or 'unknown', f[2] or ''
    causes[cause] = (causes[cause] or 0) + 1
    queues[queue] = (queues[queue] or 0) + 1
    both[queue .. ' ' .. cause] = (both[queue .. ' ' .. cause] or 0) + 1
  end
  return { redis.call('ZCARD', P .. 'parked'), flat(causes), flat(queues), flat(both) }
end)
