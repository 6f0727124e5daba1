-- SPDX-License-Identifier: Apache-2.0
-- The sweep: what no event told of, and levels that are not as they should be (functions/sweep).
--   sweep: hash: <work>_last (ms, ended well), <work>_problem, <work>_took; where each work is: orders_id, orders_begin,
--     open_at, bigcommerce_ms, refunds_ms, (in a list of several turns) bigcommerce_next, bigcommerce_begun, refunds_next,
--     refunds_begun, moved_id, stock_page, stock_pages, stock_items, stock_total, stock_fast, ...
--   told:sitoo, told:bigcommerce: order ids by the time at which an event last named them
--   orders:open: Sitoo order -> digest, of orders that are open, as sitoo-events last read them
--   sweep:late: Sitoo order -> "first_ms digest" (digest - = not known at all): seen by the sweep, and time is given for
--     their event; sweep:late:at: the same orders by first_ms
--   sweep:suspects: "location|sku" -> "first_ms tries expected actual stored": a level that differed once

local TOLD_KEEP = 20000
local LATE_PER_CALL = 200 -- settled in one call: Redis serves nobody else for about 15 ms

EFFECTS.told = { 2, function(P, now, source, id)
  local key = P .. 'told:' .. source
  redis.call('ZADD', key, int(now), id)
  redis.call('ZREMRANGEBYRANK', key, 0, -TOLD_KEEP - 1)
end }

-- What only the sweep found: counted and recorded once per operation.
EFFECTS.found = { 3, function(P, now, op, counter, json)
  if first_time(P, op) then
    count(P, counter, 1)
    ledger_add(P, now, json)
  end
end }

-- order_read: id, digest or '': an order of Sitoo as it was just read; '' = it is not open.
EFFECTS.order_read = { 2, function(P, _, id, digest)
  if digest == '' then
    redis.call('HDEL', P .. 'orders:open', id)
  else
    redis.call('HSET', P .. 'orders:open', id, digest)
  end
end }

-- True if nobody knows of the order as it is: it was never announced, or was announced and is otherwise since.
local function order_unknown(P, id, digest)
  if redis.call('EXISTS', job_key(P, 'order', id)) == 1 then
    return false
  end
  if digest == '-' then
    return not redis.call('ZSCORE', P .. 'told:sitoo', id)
  end
  local known = redis.call('HGET', P .. 'orders:open', id)
  return known ~= false and known ~= digest
end

local function late_forget(P, id)
  redis.call('HDEL', P .. 'sweep:late', id)
  redis.call('ZREM', P .. 'sweep:late:at', id)
end

-- An order as it was just listed: what is unknown is given time for its event, anew if it has changed again meanwhile.
local function late_seen(P, now, id, digest)
  local old = string.match(redis.call('HGET', P .. 'sweep:late', id) or '', ' (%S+)$')
  if old and not order_unknown(P, id, old) then
    late_forget(P, id)
    old = nil
  end
  if old ~= digest and old ~= '-' and order_unknown(P, id, digest) then
    redis.call('HSET', P .. 'sweep:late', id, int(now) .. ' ' .. digest)
    redis.call('ZADD', P .. 'sweep:late:at', int(now), id)
  end
end

-- True if nobody was told of it in the time that it was given: it becomes due, as an event would make it.
local function late_settle(P, now, id)
  local digest = string.match(redis.call('HGET', P .. 'sweep:late', id) or '', ' (%S+)$')
  late_forget(P, id)
  if not digest or not order_unknown(P, id, digest) then
    return false
  end
  mark(P, now, 'order', id, '', '', '')
  if digest == '-' then
    redis.call('ZADD', P .. 'told:sitoo', int(now), id)
  else
    redis.call('HSET', P .. 'orders:open', id, digest)
  end
  if first_time(P, 'missed:sitoo:' .. id .. ':' .. digest) then
    count(P, 'missed:sitoo_order', 1)
    ledger_add(P, now, cjson.encode({ type = 'missed', what = 'sitoo_order', order = tonumber(id),
      found = digest == '-' and 'new' or 'changed' }))
  end
  return true
end

-- sweep_orders(grace_ms, field or '', value, n, n x (order, digest or -)) -> { missed, waiting, 1 = more are over their time }
-- Orders as they were just listed. What is unknown is given grace_ms for its event; what is unknown still counts as
-- missed, the first seen first, LATE_PER_CALL in one call. field, value: where the work is now, in the hash sweep.
register('sweep_orders', function(P, args)
  local now, grace, n = now_ms(), tonumber(args[1]), tonumber(args[4])
  if not grace or not n or #args ~= 4 + 2 * n then
    return refuse('sweep_orders: the number of orders does not fit')
  end
  for i = 1, n do
    late_seen(P, now, args[3 + 2 * i], args[4 + 2 * i])
  end
  local missed, at = 0, P .. 'sweep:late:at'
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', at, '-inf', int(now - grace), 'LIMIT', 0, LATE_PER_CALL)) do
    missed = missed + (late_settle(P, now, id) and 1 or 0)
  end
  if missed > 0 then
    next_token(P) -- the epoch's position, see 95_epoch.lua
    mark(P, now, 'ledger', 'main', '', '', '')
    wake(P, 'order')
    wake(P, 'ledger')
  end
  if args[2] ~= '' then
    redis.call('HSET', P .. 'sweep', args[2], args[3])
  end
  local over = redis.call('ZCOUNT', at, '-inf', int(now - grace))
  return { missed, redis.call('ZCARD', at) - over, over > 0 and 1 or 0 }
end)

-- sweep_look(l, l locations, w, w warehouses, SKUs...) -> { ms that the ledger's timer is late, now, then per SKU {
--   1 if something of it is under way, pending of no warehouse,
--   per location: stored level or '', per warehouse: pending, withheld by ledger, by returns, stock or '', chain or '' } }
-- Everything that the level of a SKU is computed from, but for Sitoo's stock, at one moment.
register('sweep_look', function(P, args)
  local now, l = now_ms(), tonumber(args[1])
  local w = l and tonumber(args[2 + l] or '')
  if not w or #args < 2 + l + w then
    return refuse('sweep_look: locations or warehouses are cut short')
  end
  local ledger = tonumber(redis.call('ZSCORE', P .. 'due:ledger', 'main') or '') or 0
  local out = { math.max(0, now - ledger), now }
  for i = 3 + l + w, #args do
    local sku = args[i]
    local busy = redis.call('EXISTS', job_key(P, 'sku', sku)) == 1
    local row = { 0, redis.call('HGET', P .. 'pending:qty', '0|' .. sku) or '0' }
    for k = 1, l do
      local field = args[1 + k] .. '|' .. sku
      busy = busy or redis.call('ZSCORE', P .. 'unconfirmed', field) ~= false
        or redis.call('ZSCORE', P .. 'recheck', field) ~= false
      row[#row + 1] = redis.call('HGET', P .. 'level:live', field) or ''
    end
    for k = 1, w do
      local warehouse = args[2 + l + k]
      local field = warehouse .. '|' .. sku
      busy = busy or redis.call('ZSCORE', P .. 'verify', field) ~= false
      row[#row + 1] = redis.call('HGET', P .. 'pending:qty', field) or '0'
      row[#row + 1] = redis.call('HGET', P .. 'withheld:l', field) or '0'
      row[#row + 1] = redis.call('HGET', P .. 'withheld:r', field) or '0'
      row[#row + 1] = redis.call('HGET', P .. 'stock:' .. warehouse, sku) or ''
      row[#row + 1] = redis.call('HGET', P .. 'chain:' .. warehouse, sku) or ''
    end
    row[1] = busy and 1 or 0
    out[#out + 1] = row
  end
  return out
end)
