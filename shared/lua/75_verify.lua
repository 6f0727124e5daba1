-- SPDX-License-Identifier: Apache-2.0
-- Stock that was computed from the ledger is read after all, when there is time: verify holds "warehouse|sku" with the
-- time from which it may be read.

local VERIFY_SCAN = 5000

-- verify_take(limit) -> { how many SKUs were made due, ms until the next may be or -1 }. Those of one warehouse, the one
-- with the most to read, so that they fill a call.
register('verify_take', function(P, args)
  local now, key, limit = now_ms(), P .. 'verify', tonumber(args[1])
  local found, most = {}, nil
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', int(now), 'LIMIT', 0, VERIFY_SCAN)) do
    local warehouse = string.match(member, '^(%d+)|') or ''
    found[warehouse] = found[warehouse] or {}
    table.insert(found[warehouse], member)
    if not most or #found[warehouse] > #found[most] then
      most = warehouse
    end
  end
  local n = 0
  for i, member in ipairs(most and found[most] or {}) do
    if i > limit then
      break
    end
    mark(P, now, 'sku', string.match(member, '|(.*)$') or '', '', 'w' .. most, '')
    redis.call('ZREM', key, member)
    n = n + 1
  end
  if n > 0 then
    count(P, 'stock:verified', n)
    wake(P, 'sku')
  end
  return { n, first_in_ms(key, now) }
end)
