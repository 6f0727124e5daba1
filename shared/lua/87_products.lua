-- SPDX-License-Identifier: Apache-2.0
-- What is remembered of the products that were brought to Sitoo (shared/product_known.h), and the brake on hiding them.

local OFF_WINDOW_MS = DAY_MS
local RELEASED_MS = 3600000 -- a person's release of the brake lasts an hour

-- catalog_off(limit, sku...) -> 1 and counted, if these SKUs may be hidden in this window of 24 hours, or a person let it pass; else 0.
-- One that was counted is not counted again: a try that failed is made again.
register('catalog_off', function(P, args)
  local key, now, fresh = P .. 'catalog:off', now_ms(), {}
  for i = 2, #args do
    if redis.call('SISMEMBER', key, args[i]) == 0 then
      fresh[#fresh + 1] = args[i]
    end
  end
  local released = (tonumber(redis.call('HGET', P .. 'catalog', 'released') or '') or 0) + RELEASED_MS > now
  local off = redis.call('SCARD', key)
  if #fresh > 0 and off + #fresh > tonumber(args[1]) and not released then
    return 0
  end
  for _, sku in ipairs(fresh) do
    redis.call('SADD', key, sku)
  end
  if off == 0 and #fresh > 0 then
    redis.call('PEXPIRE', key, int(OFF_WINDOW_MS))
  end
  return 1
end)
