-- SPDX-License-Identifier: Apache-2.0
-- The catch-up after a webhook of ours was silent, and the cursor of web orders that it sets back.
-- hooks: "good:<scope>" -> ms when the webhook was last seen right; silent -> ms from when on events may have been lost, and
--   silent:products the same of products and prices. Noted before the webhook is put right, so that a crash in between loses no
--   catch-up.

-- hooks_silent(ms, what): keeps the earliest. what: "products", or "orders" for all others.
register('hooks_silent', function(P, args)
  local field = args[2] == 'products' and 'silent:products' or 'silent'
  local old = tonumber(redis.call('HGET', P .. 'hooks', field) or '')
  if not old or tonumber(args[1]) < old then
    redis.call('HSET', P .. 'hooks', field, int(tonumber(args[1])))
  end
  return 1
end)

-- hooks_good(n, n x scope): they are right now.
register('hooks_good', function(P, args)
  for i = 1, tonumber(args[1]) do
    redis.call('HSET', P .. 'hooks', 'good:' .. args[1 + i], int(now_ms()))
  end
  return tonumber(args[1])
end)

-- hooks_catch_up(floor_ms) -> 1 if a catch-up was due: web orders are read again from where events may have been lost, at most
-- back to floor_ms, never from a later moment than they would be anyway; and all refunds are listed now. If it was of products,
-- both catalogs are compared, which needs no moment.
register('hooks_catch_up', function(P, args)
  local now = now_ms()
  local products = redis.call('HDEL', P .. 'hooks', 'silent:products')
  if products == 1 then
    mark(P, now, 'catalog', 'sweep', '', '', '')
    wake(P, 'catalog')
  end
  local from = tonumber(redis.call('HGET', P .. 'hooks', 'silent') or '')
  if not from then
    return products
  end
  from = math.max(from, tonumber(args[1]))
  local at = tonumber(redis.call('HGET', P .. 'cursor', 'orders') or '')
  if at and from < at then -- none: they are read from the beginning
    redis.call('HSET', P .. 'cursor', 'orders', int(from))
    next_token(P) -- the epoch's position, see 95_epoch.lua
  end
  redis.call('HDEL', P .. 'hooks', 'silent')
  mark(P, now, 'refunds', 'main', '', '', '')
  wake(P, 'refunds')
  mark(P, now, 'ledger', 'main', '', '', '') -- the writer looks at once
  wake(P, 'ledger')
  return 1
end)

-- orders_read(before, now_ms) -> 1: the cursor of web orders goes to now_ms, unless it is no longer what it was before this
-- reading ('' = none): then somebody wants older orders read again.
register('orders_read', function(P, args)
  if (redis.call('HGET', P .. 'cursor', 'orders') or '') ~= args[1] then
    return 0
  end
  redis.call('HSET', P .. 'cursor', 'orders', args[2])
  return 1
end)
