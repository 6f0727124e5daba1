-- SPDX-License-Identifier: Apache-2.0
-- What is remembered of the products that were brought to Sitoo (shared/product_known.h), and the brake on hiding them.

local OFF_WINDOW_MS = DAY_MS
local RELEASED_MS = 3600000 -- a person's release of the brake lasts an hour

-- catalog_off(n, limit) -> 1 and counted, if n more SKUs may be hidden in this window of 24 hours, or a person let it pass; else 0.
register('catalog_off', function(P, args)
  local key, now, n = P .. 'catalog', now_ms(), tonumber(args[1])
  local f = redis.call('HMGET', key, 'off', 'off_until', 'released')
  local off = (tonumber(f[2] or '') or 0) > now and tonumber(f[1] or '') or 0
  local released = (tonumber(f[3] or '') or 0) + RELEASED_MS > now
  if off + n > tonumber(args[2]) and not released then
    return 0
  end
  local till = off > 0 and f[2] or int(now + OFF_WINDOW_MS)
  redis.call('HSET', key, 'off', int(off + n), 'off_until', till)
  return 1
end)
